// One run of a compiler.
import { execFile } from 'node:child_process';
import { WarpfsError } from './errors.ts';
import type { SystemCompiler } from './system_compiler.ts';

const COMPILE_MS_MAX = 120_000;
const OUTPUT_BYTES_MAX = 4 * 1024 * 1024;

export function runCompiler(compiler: SystemCompiler, options: readonly string[], folder: string): Promise<{ failed: boolean; output: string }> {
  return new Promise((resolve, reject) => {
    // The C locale, so that an error is called "error"; the folder as cwd, so that no file of the user is taken for the kernel's text.
    const settings = { cwd: folder, timeout: COMPILE_MS_MAX, maxBuffer: OUTPUT_BYTES_MAX, env: { ...process.env, LC_ALL: 'C' } };
    execFile(compiler.path, [...compiler.leading, ...options], settings, (error, stdout, stderr) => {
      if (error !== null && (error.killed === true || typeof error.code !== 'number')) {
        const reason = error.killed === true ? `was stopped after ${COMPILE_MS_MAX / 1000} s` : error.message;
        reject(new WarpfsError('ERR_WARPFS_COMPILE', `the compiler ${compiler.path} ${reason}`, { cause: error }));
      } else {
        resolve({ failed: error !== null, output: `${stderr}${stdout}` });
      }
    });
  });
}
