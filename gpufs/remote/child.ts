// The process that one mount has to itself: it does with the addon what the process that started it says, and ends with it.
import { loadNativeBinding, type NativeMount } from '../native_binding.ts';
import { type Answer, LET_GO, type MountState, type Request } from './messages.ts';
import { emptyBuffers, sendOutputs, takePiece } from './pieces.ts';

let mounting: Promise<NativeMount> | undefined;
let mounted: NativeMount | undefined;
/** Of the dispatch that comes next. */
let buffers: Uint8Array[] = [];
let ending = false;

async function mountOf(): Promise<NativeMount> {
  if (mounting === undefined) throw new Error('nothing is mounted in this process');
  return mounting;
}

async function serve(request: Request): Promise<void> {
  switch (request.kind) {
    case 'buffers':
      buffers = emptyBuffers(request.lengths);
      return;
    case 'piece':
      takePiece(buffers, request);
      return;
    case 'fault':
      (await mountOf()).setFault(request.fault);
      return;
    case 'mount':
      return answer(request.call, async () => {
        mounting = loadNativeBinding().binding.mountLater(request.config);
        mounted = await mounting;
        return undefined;
      });
    case 'dispatch': {
      const own = buffers;
      buffers = [];
      return answer(request.call, async () => {
        const result = await (await mountOf()).dispatch({ ...request.dispatch, buffers: own });
        await sendOutputs(own, request.dispatch.inputs ?? 0, send);
        return result;
      });
    }
    case 'load':
      return answer(request.call, async () => {
        await (await mountOf()).load?.(request.module);
        return undefined;
      });
    case 'sync':
      return answer(request.call, async () => (await mountOf()).sync());
    case 'unmount':
      return answer(request.call, async () => (await mountOf()).unmount(request.discard));
  }
}

async function answer(call: number, work: () => Promise<Extract<Answer, { kind: 'done' }>['value']>): Promise<void> {
  try {
    const value = await work();
    await send({ kind: 'done', call, value, state: stateNow() });
  } catch (error) {
    const { code, message } = error as { code?: string; message?: string };
    await send({ kind: 'failed', call, code, message: String(message ?? error).replace(/^\[warpfs\] /, ''), state: stateNow() });
  }
}

function stateNow(): MountState | undefined {
  try {
    return mounted === undefined ? undefined : { description: mounted.describe(), stats: mounted.stats() };
  } catch {
    return undefined; // it is unmounted
  }
}

/** Whether it arrives or not: where nobody is there any more, this process is about to end. */
function send(message: Answer): Promise<void> {
  return new Promise((resolve) => {
    if (process.connected) process.send?.(message, undefined, undefined, () => resolve());
    else resolve();
  });
}

/** Nobody says anything more. As in a process that ends without unmounting, what can be written back is. */
async function letGo(): Promise<void> {
  if (ending) return;
  ending = true;
  await mounting?.then((mount) => mount.unmount(true)).catch(() => undefined);
  process.exit();
}

// What is meant for all of them, such as Ctrl-C, is up to the process that has the mount: it may still want to unmount.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => undefined);
process.on(LET_GO, () => void letGo());
process.on('disconnect', () => void letGo());
process.on('message', (request) => void serve(request as Request));
