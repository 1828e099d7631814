// Whether the addon is there, for suites that need it. What is missing is said in the name of the skipped suite.
import { loadNativeBinding, URING_WORKS } from '../native_binding.ts';

export interface NativePresence {
  /** Why there is no addon. */
  missing: string | undefined;
  /** What stands in the way of io_uring. */
  noUring: string | undefined;
}

export function nativePresence(): NativePresence {
  try {
    const { uring } = loadNativeBinding().binding.host();
    return { missing: undefined, noUring: uring === URING_WORKS ? undefined : `io_uring: ${uring}` };
  } catch (error) {
    const missing = (error as Error).message.split('\n')[0] ?? 'no addon';
    return { missing, noUring: missing };
  }
}
