// Legal MSL that only looks like what is refused, and places in texts that are not simple.
import { describe, expect, test } from 'vitest';
import { shadersRoot } from './package_root.ts';
import { checkMetal, metalCheckMissing } from './shader_check.ts';
import { flatDialectText } from './shader_text.ts';

const head = '#include <metal_stdlib>\nusing namespace metal;\n';

const legal: [what: string, code: string][] = [
  ['words in comments, strings and longer names', '// goto f: auto g = [](int) {}\n/* asm\n goto */ constant uint goto_next = 0;\nstatic_assert(true, "no goto, no [[attribute]]");'],
  ['functions of one name', 'uint f(uint n) { return n; } uint f(int n) { return f((uint)n); }'],
  ['methods of one name in two classes', 'struct A { uint get() const { return 1u; } }; struct B { A a; uint get() const { return a.get(); } };'],
  ['a function that is declared first and called twice', 'uint g(uint n); uint f(uint n) { return g(n) + g(1u); } uint g(uint n) { return n; }'],
  ['a template that ends in a specialization', 'template <uint N> uint f() { return f<N - 1u>(); } template <> uint f<0u>() { return 0u; } uint g() { return f<9u>(); }'],
  ['a kernel without indices', 'kernel void k(device uint* a, constant uint& b, uint i [[thread_position_in_grid]]) { a[i] = b; }'],
  ['one index in two kernels', 'kernel void j(device uint* a [[buffer(0)]]) { a[0] = 1u; } kernel void k(device uint* a [[buffer(0)]]) { a[0] = 1u; }'],
  ['one index for a buffer and for threadgroup memory', 'kernel void k(device uint* a [[buffer(0)]], threadgroup uint* b [[threadgroup(0)]]) { a[0] = b[0]; }'],
  ['one index in two structures', 'struct A { device uint* a [[id(0)]]; }; struct B { device uint* a [[id(0)]]; };'],
  ['an index with a name', 'enum { WORDS = 3 }; kernel void k(device uint* a [[buffer(WORDS)]], device uint* b [[buffer(WORDS + 1)]]) { a[0] = b[0]; }'],
  ['an index from a macro', '#define AT(n) [[buffer(n)]]\nkernel void k(device uint* a AT(0), device uint* b AT(1)) { a[0] = b[0]; }'],
  ['functions that are called as attributes are', 'uint buffer(uint n) { return n; } uint texture(uint n) { return buffer(n); }'],
  ['a kernel by its attribute', '[[kernel]] void k(device uint* a [[buffer(0)]]) { threadgroup uint n; n = 1u; a[0] = n; }'],
  ['several attributes', '[[kernel, max_total_threads_per_threadgroup(64)]]\nvoid k(device uint* a [[ buffer(0),\n raster_order_group(0) ]]) { a[0] = 1u; }'],
  ['a name for the host', '[[host_name("j")]] kernel void k(device uint* a [[buffer(0)]]) { a[0] = 1u; }'],
  ['attributes of clang', '[[maybe_unused]] constant uint a = 1u; [[clang::annotate("x")]] void f(); uint g(uint n) { switch (n) { case 1: n++; [[fallthrough]]; default: return n; } }'],
  ['alignas', 'struct alignas(16) S { uint words[4]; };'],
  ['subscripts of subscripts, and references to arrays', 'uint f(device uint* a) { return a[a[0]]; } void g(thread uint (&masks)[4]) { masks[0] = 1u; }'],
  ['constants within functions', 'uint f() { static constexpr constant uint n = 3u; return n; }'],
];

const missing = metalCheckMissing();
describe.skipIf(missing !== undefined)(missing === undefined ? 'Metal' : `SKIP ${missing}: Metal`, () => {
  test.each(legal)('takes %s', (_, code) => {
    expect(checkMetal(`${head}${code}\n`).output).toBe('');
  });

  test('takes the flat text with WARPFS_SPIN', () => {
    expect(checkMetal(`#define WARPFS_SPIN 1\n${flatDialectText('metal', shadersRoot)}`).output).toBe('');
  });

  test('all problems of a text are told, in the order of its lines, and once for each template that is made', () => {
    const code = 'template <typename T> T f(T n) { again: goto again; return n; }\nuint g() { return f(1u) + (uint)f(1); }\nasm("nop");';
    expect(checkMetal(`${head}${code}\n`).output).toBe('shader:3: error: Metal does not take goto\nshader:5: error: Metal does not take inline assembly');
  });

  test('notes explain an error, in words of Metal', () => {
    const { output } = checkMetal(`${head}uint f(thread uint* p);\nuint g(device uint* q) { return f(q); }\n`);
    expect(output).toMatch(/^shader:4: error: no matching function for call to 'f'; candidate function not viable: .*\bdevice\b/);
    expect(output).not.toContain('__');
  });

  test('a text that names its lines itself is told by these names', () => {
    const code = '#line 70 "made by: a <tool>"\nvoid f() { a: goto a; }\n';
    expect(checkMetal(head + code).problems).toEqual([{ file: 'made by: a <tool>', line: 70, message: 'Metal does not take goto' }]);
  });
});
