// Whether one kernel runs at a time on a GPU, as compute-sanitizer and ncu have it. Nothing can then run beside the courier, which carries what
// kernels and the host say to each other: it runs between the kernels of a replayed dispatch.
import { optionError } from './errors.ts';
import type { WaitName } from './options.ts';

/** What says so, as 'CUDA_LAUNCH_BLOCKING=1'; undefined where kernels run beside each other. */
export function serialReason(environment: NodeJS.ProcessEnv = process.env): string | undefined {
  const wanted = environment['WARPFS_CUDA_SERIAL'] ?? '';
  if (wanted === '0') return undefined;
  if (wanted === '1') return 'WARPFS_CUDA_SERIAL=1';
  if (wanted !== '') throw optionError('environment WARPFS_CUDA_SERIAL', wanted, 'is neither 0 nor 1');
  const blocking = environment['CUDA_LAUNCH_BLOCKING'] ?? '';
  if (blocking !== '' && blocking !== '0') return `CUDA_LAUNCH_BLOCKING=${blocking}`;
  return (environment['CUDA_INJECTION64_PATH'] ?? '') === '' ? undefined : 'CUDA_INJECTION64_PATH, which a tool such as compute-sanitizer or ncu sets';
}

export function checkSerial(reason: string | undefined, wait: WaitName): void {
  if (reason === undefined || wait === 'replay') return;
  const why = `does not go with ${reason}: there a kernel begins when the one before it has ended, and a warp that stays on the GPU until the host answers waits for ever`;
  throw optionError('option wait', wait, `${why}. Take wait: 'replay'; where kernels do run beside each other, set WARPFS_CUDA_SERIAL=0`);
}
