// What the fake Metal is built with, and whether it is here.
import { spawnSync } from 'node:child_process';

const succeeds = (command: string): boolean => spawnSync('sh', ['-c', command]).status === 0;

/** It compiles texts of Metal as C++. */
export const noClang = !succeeds('clang++-19 --version');

/** Why there is no fake Metal. */
export const fakeMetalMissing =
  noClang || !succeeds('ls /usr/lib/gcc/*/12/include/objc/objc.h /usr/include/Block.h') ? 'no clang++-19 with libobjc-12-dev and libblocksruntime-dev, which the fake Metal is built with' : undefined;
