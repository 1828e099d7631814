// What NVRTC 13.0 and nvcc 13.0 said of one text, word for word.
import { expect, test } from 'vitest';
import { compileError, parseDiagnostics } from './kernel_diagnostics.ts';

const source = ['  uint unused = 3;', '\tfloat* y = sums;', '  gread(fs, 1, 2);', '  float x = gload(fs, 1, 2);', '  sums[0] = gload<Fs>(fs, 1, 2u);', '  lane.foo;'].join('\n');
const kernel = { name: 'sum_pages', source };

const nvrtc = `sum_pages(2): error: a value of type "warpfs::uint *" (aka "unsigned int *") cannot be used to initialize an entity of type "float *"
  \tfloat* y = sums;
  \t           ^

sum_pages(3): error: too few arguments in function call
    gread(fs, 1, 2);
                  ^

sum_pages(4): error: no instance of function template "warpfs::gload" matches the argument list
            argument types are: (warpfs::Fs, int, int)
    float x = gload(fs, 1, 2);
              ^
warpfs-shaders(3841): note #3327-D: candidate function template "warpfs::gload" failed deduction
  WARPFS_FN T gload(WARPFS_THREAD Fs& fs, int file, ulong index, bool wanted = true) {
              ^

warpfs-shaders(3842): error: no suitable constructor exists to convert from "int" to "warpfs::Fs"
    return elements_value<T, ElementLoad>(fs, file, index, T(0), wanted);
                                                             ^
          detected during instantiation of "T warpfs::gload<T>(warpfs::Fs &, int, warpfs::ulong, __nv_bool) [with T=warpfs::Fs]" at line 5 of sum_pages

warpfs-shaders(3719): error: static assertion failed with "an element lies in one line"
    static_assert((sizeof(T) & (sizeof(T) - 1u)) == 0u && sizeof(T) <= LINE_BYTES_MIN, "an element lies in one line");
    ^
          detected during:
            instantiation of "int warpfs::elements_move<T,Action>(warpfs::Fs &, int, warpfs::ulong, __nv_bool, T &) [with T=warpfs::Fs, Action=warpfs::ElementLoad]" at line 3793
            instantiation of "T warpfs::gload<T>(warpfs::Fs &, int, warpfs::ulong, __nv_bool) [with T=warpfs::Fs]" at line 5 of sum_pages

sum_pages(6): error: class "warpfs::Lane" has no member "foo"
    lane.foo;
         ^

sum_pages(1): warning #177-D: variable "unused" was declared but never referenced
    uint unused = 3;
         ^

Remark: The warnings can be suppressed with "-diag-suppress <warning-number>"

6 errors detected in the compilation of "warpfs-shaders".
`;
// nvcc sees the text behind the preprocessor of the host: macros are spelled out, and a tab has become a space.
const nvcc = nvrtc
  .replace('  \tfloat* y = sums;\n  \t           ^', '   float* y = sums;\n              ^')
  .replace('  WARPFS_FN T gload(WARPFS_THREAD Fs& fs', '  __attribute__((device)) inline T gload( Fs& fs')
  .replace('compilation of "warpfs-shaders"', 'compilation of ".sum_pages.cu"');

test.each([['nvrtc', nvrtc], ['nvcc', nvcc]])('diagnostics of %s stand where the user wrote', (_, output) => {
  expect(parseDiagnostics(output, kernel)).toEqual([
    { line: 2, column: 13, severity: 'error', message: 'a value of type "warpfs::uint *" (aka "unsigned int *") cannot be used to initialize an entity of type "float *"' },
    { line: 3, column: 17, severity: 'error', message: 'too few arguments in function call' },
    {
      line: 4, column: 13, severity: 'error',
      message: 'no instance of function template "warpfs::gload" matches the argument list; argument types are: (warpfs::Fs, int, int)',
    },
    { line: 5, column: 3, severity: 'error', message: 'no suitable constructor exists to convert from "int" to "warpfs::Fs"' },
    { line: 5, column: 3, severity: 'error', message: 'static assertion failed with "an element lies in one line"' },
    { line: 6, column: 8, severity: 'error', message: 'class "warpfs::Lane" has no member "foo"' },
    { line: 1, column: 8, severity: 'warning', message: 'variable "unused" was declared but never referenced' },
  ]);
});

test('the message is that of the other compilers: the line, and a caret below the place', () => {
  const { code, message } = compileError(kernel, nvrtc, ['/somewhere']);
  expect(code).toBe('ERR_WARPFS_COMPILE');
  expect(message).toContain('kernel sum_pages does not compile:\nsum_pages:2:13: error: a value of type');
  expect(message).toContain('\n  \tfloat* y = sums;\n  \t           ^\nsum_pages:3:17: error: too few arguments');
  expect(message).not.toContain('unused');
  expect(message).not.toContain('warpfs-shaders');
});

const openBrace = `warpfs-generated(1): warning #940-D: missing return statement at end of non-void function "warpfs::item_body"
  return 0; }}
             ^

At end of source: error: expected a "}"
warpfs-shaders(3912): note #3196-D: to match this "{"
  namespace warpfs {
                   ^

1 error detected in the compilation of "warpfs-shaders".
`;
test('an error outside of the text of the user is told as it is, with the likeliest cause', () => {
  const { message, diagnostics } = compileError(kernel, openBrace, []);
  expect(diagnostics).toEqual([]);
  expect(message).toContain('At end of source: error: expected a "}"');
  expect(message).toContain('a brace too many or too few');
});

test('an option that the compiler does not know is told too', () => {
  expect(compileError(kernel, 'nvrtc: error: invalid value for --gpu-architecture (-arch)\n', []).message).toContain('invalid value for --gpu-architecture');
});
