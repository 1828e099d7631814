// A process that one mount has to itself, as seen from the one that started it: calls and their answers, and what becomes of them when it ends.
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { WarpfsError } from '../errors.ts';
import { packageRoot } from '../package_root.ts';
import { endWithThisProcess } from './let_go_at_exit.ts';
import type { Answer, Call, MountState, Piece, Request } from './messages.ts';

/** Built, also where this file runs as it is: a new process has nobody to translate it. */
const ENTRY = join(packageRoot, 'dist', 'gpufs', 'remote', 'child.js');
/** More than a process takes to end that has let go of everything. */
const END_MS = 10_000;

export type AnsweredValue = Extract<Answer, { kind: 'done' }>['value'];

interface Waiting {
  resolve(value: AnsweredValue): void;
  reject(error: Error): void;
}

export class MountProcess {
  /** As it was with the last answer. */
  state: MountState | undefined;
  /** Takes what comes before the answer to a dispatch. */
  onPiece: (piece: Piece) => void = () => undefined;
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, Waiting>();
  readonly #ended: Promise<void>;
  #lastCall = 0;
  /** Why nothing is answered any more. */
  #end: Error | undefined;

  constructor() {
    if (!existsSync(ENTRY)) throw new WarpfsError('ERR_WARPFS_NO_NATIVE', `a mount in a process of its own needs ${ENTRY}, which is not there. Fix: npm run build:ts`);
    // In a session of its own, so that no signal of a terminal reaches it.
    this.#child = spawn(process.execPath, [ENTRY], { detached: true, serialization: 'advanced', stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
    endWithThisProcess(this.#child);
    this.#child.on('message', (answer) => this.#take(answer as Answer));
    this.#ended = this.#watch();
    this.#keepAlive(false);
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  call(request: Call): Promise<AnsweredValue> {
    const call = ++this.#lastCall;
    const answered = new Promise<AnsweredValue>((resolve, reject) => this.#waiting.set(call, { resolve, reject }));
    this.#keepAlive(true);
    if (this.#end === undefined) void this.send({ ...request, call });
    else this.#rejectAll(this.#end);
    return answered;
  }

  /** Settles when it is on its way. What could not be sent is told by the end of the process. */
  send(request: Request): Promise<void> {
    return new Promise((resolve) => {
      if (this.#child.connected) this.#child.send(request, () => resolve());
      else resolve();
    });
  }

  /** It has let go of everything, or has nothing. */
  async end(): Promise<void> {
    if (this.#child.connected) this.#child.disconnect();
    const late = setTimeout(() => this.#child.kill('SIGKILL'), END_MS);
    this.#child.ref();
    await this.#ended;
    clearTimeout(late);
  }

  #take(answer: Answer): void {
    if (answer.kind === 'piece') return this.onPiece(answer);
    this.state = answer.state ?? this.state;
    const waiting = this.#waiting.get(answer.call);
    this.#waiting.delete(answer.call);
    if (this.#waiting.size === 0) this.#keepAlive(false);
    if (answer.kind === 'done') waiting?.resolve(answer.value);
    else waiting?.reject(Object.assign(new Error(answer.message), answer.code === undefined ? {} : { code: answer.code }));
  }

  /** All that it had said before its end has been heard when its channel is closed too. */
  async #watch(): Promise<void> {
    const child = this.#child;
    const closed = new Promise<void>((resolve) => child.once('disconnect', resolve));
    const how = await new Promise<string>((resolve) => {
      child.once('exit', (code, signal) => resolve(signal === null ? `ended with code ${code}` : `was ended by ${signal}`));
      child.on('error', (error) => {
        if (child.pid === undefined) resolve(`could not be started (${error.message})`);
      });
    });
    if (child.connected) await closed;
    const name = child.pid === undefined ? 'the process of this mount' : `the process of this mount (${child.pid})`;
    this.#end = Object.assign(new Error(`${name} ${how}. This mount is lost; what kernels wrote and nobody synced is lost with it. A new mount works`), { code: 'EIO' });
    this.#rejectAll(this.#end);
  }

  #rejectAll(error: Error): void {
    for (const waiting of this.#waiting.values()) waiting.reject(error);
    this.#waiting.clear();
    this.#keepAlive(false);
  }

  /** Like a mount in this process: a call under way keeps this process alive, an idle mount does not. */
  #keepAlive(alive: boolean): void {
    if (alive) this.#child.ref();
    else this.#child.unref();
    if (alive) this.#child.channel?.ref();
    else this.#child.channel?.unref();
  }
}
