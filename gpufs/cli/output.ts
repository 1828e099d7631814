// Where a command writes: results to one stream, everything that is said to a person to the other.
import { SingleBar } from 'cli-progress';

export interface Streams {
  out: (text: string) => void;
  error: (text: string) => void;
  /** Whether a person is watching the error stream. */
  watched: boolean;
}

export interface Progress {
  update: (done: number, total: number) => void;
  stop: () => void;
}

/** With --json a command writes one object on one line, and nothing else. */
export function printJson(streams: Streams, value: object): void {
  streams.out(`${JSON.stringify(value)}\n`);
}

/** A bar where somebody watches, silence elsewhere. */
export function makeProgress(streams: Streams, label: string, json: boolean): Progress {
  if (json || !streams.watched) return { update() {}, stop() {} };
  const bar = new SingleBar({ format: `${label} {bar} {percentage}% {value}/{total}`, hideCursor: true, clearOnComplete: true, stream: process.stderr });
  let started = false;
  return {
    update(done, total) {
      if (!started) bar.start(total, 0);
      started = true;
      bar.update(done);
    },
    stop() {
      if (started) bar.stop();
    },
  };
}
