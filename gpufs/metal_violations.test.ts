// A kernel that is fine but for one thing is refused, at the line of that thing and in words that name it; without the thing it is taken.
import { describe, expect, test } from 'vitest';
import { checkMetal, metalCheckMissing } from './shader_check.ts';

type Where = 'above' | 'argument' | 'body';
const LINE: Record<Where, number> = { above: 4, argument: 6, body: 8 };

function kernelWith(where: Where, code: string): string {
  const at = (place: Where) => (place === where ? code : '');
  return [
    '#include <metal_stdlib>',
    'using namespace metal;',
    'struct Pair { uint first; uint second; };',
    at('above'),
    'kernel void add_up(device uint* out [[buffer(0)]], const device uint* numbers [[buffer(1)]], threadgroup uint* shared [[threadgroup(0)]],',
    at('argument'),
    '                   uint item [[thread_position_in_grid]], uint lane [[thread_index_in_simdgroup]]) {',
    at('body'),
    '  shared[lane] = numbers[item];',
    '  out[item] = simd_sum(shared[lane]);',
    '}',
    '',
  ].join('\n');
}

// Without the thing: nothing stands there, or what is legal in its place.
type Row = [what: string, where: Where, wrong: string, message: string | RegExp, fine?: string];
const violations: Row[] = [
  [
    'a function that calls itself', 'above',
    'uint f(uint n) { return n == 0u ? 0u : f(n - 1u); }',
    'recursion, which Metal has at most in compute functions: f calls itself',
    'uint f(uint n) { return n; }',
  ],
  [
    'two functions that call each other', 'above',
    'uint g(uint n); uint f(uint n) { return g(n); } uint g(uint n) { return f(n); }',
    'recursion, which Metal has at most in compute functions: g calls f, which calls g',
    'uint g(uint n); uint f(uint n) { return g(n); } uint g(uint n) { return n; }',
  ],
  [
    'a template that calls itself', 'above',
    'template <typename T> T f(T n) { return n == 0u ? n : f<T>(n - 1u); } uint g() { return f<uint>(3u); }',
    'recursion, which Metal has at most in compute functions: f calls itself',
    'template <uint N> uint f() { return f<N - 1u>(); } template <> uint f<0u>() { return 0u; } uint g() { return f<3u>(); }',
  ],
  [
    'a method that calls itself', 'above',
    'struct S { uint get(uint n) const; }; uint S::get(uint n) const { return n == 0u ? 0u : get(n - 1u); }',
    'recursion, which Metal has at most in compute functions: get calls itself',
  ],
  [
    'a circle of three', 'above',
    'struct S { uint b(uint n) const; }; uint c(uint n) { S s; return s.b(n); } uint a(uint n) { return c(n); } uint S::b(uint n) const { return a(n); }',
    'recursion, which Metal has at most in compute functions: b calls a, which calls c, which calls b',
  ],
  ['a lambda', 'body', '  auto twice = [](uint x) { return 2u * x; }; out[0] = twice(1u);', 'Metal does not take a lambda'],
  ['goto', 'body', '  again: if (out[0] == 0u) goto again;', 'Metal does not take goto'],
  ['inline assembly', 'body', '  asm volatile("nop");', 'Metal does not take inline assembly'],
  ['assembly outside of functions', 'above', 'asm("nop");', 'Metal does not take inline assembly'],
  [
    'an unknown attribute', 'argument',
    '  uint group [[threadgroup_position_in_gird]],',
    'Metal does not know the attribute threadgroup_position_in_gird',
    '  uint group [[threadgroup_position_in_grid]],',
  ],
  ['an index that is missing', 'argument', '  device uint* more [[buffer]],', 'Metal does not know the attribute buffer', '  device uint* more,'],
  [
    'one buffer index for two arguments', 'argument',
    '  constant uint& count [[buffer(1)]],',
    'count: [[buffer(1)]] is taken by numbers',
    '  constant uint& count [[buffer(2)]],',
  ],
  [
    'one threadgroup index for two arguments', 'argument',
    '  threadgroup uint* more [[threadgroup(0)]],',
    'more: [[threadgroup(0)]] is taken by shared',
    '  threadgroup uint* more [[threadgroup(1)]],',
  ],
  [
    'one index in two ways of writing', 'argument',
    '  device uint* more [[buffer(sizeof(Pair) / 8)]],',
    'more: [[buffer(1)]] is taken by numbers',
    '  device uint* more [[buffer(sizeof(Pair) / 4)]],',
  ],
  [
    'a buffer index above 30', 'argument',
    '  device uint* more [[buffer(31)]],',
    'more: [[buffer(31)]] is not from 0 to 30',
    '  device uint* more [[buffer(30)]],',
  ],
  [
    'if constexpr', 'body',
    '  if constexpr (sizeof(uint) == 4) out[0] = 1u;',
    /constexpr if is C\+\+17, and Metal 3\.2 is C\+\+14/,
    '  if (sizeof(uint) == 4) out[0] = 1u;',
  ],
  [
    'structured bindings', 'body',
    '  Pair pair = {1u, 2u}; auto [a, b] = pair; out[a] = b;',
    /decomposition declarations are C\+\+17/,
    '  Pair pair = {1u, 2u}; out[pair.first] = pair.second;',
  ],
  [
    'a fold expression', 'above',
    'template <typename... T> uint f(T... t) { return (t + ...); } uint g() { return f(1u, 2u); }',
    /fold expression is C\+\+17/,
  ],
  ['an inline variable', 'above', 'inline constant uint answer = 42u;', /inline variables are C\+\+17/, 'constant uint answer = 42u;'],
  [
    'nested namespaces in one', 'above',
    'namespace a::b { uint f(); }',
    /nested namespace definition is C\+\+17/,
    'namespace a { namespace b { uint f(); } }',
  ],
  [
    'if with a declaration before its condition', 'body',
    '  if (uint n = out[0]; n > 1u) out[0] = n;',
    /if initialization statements are C\+\+17/,
    '  if (uint n = out[0]) out[0] = n;',
  ],
  [
    'a deduction guide', 'above',
    'template <typename T> struct Box { T value; }; template <typename T> Box(T) -> Box<T>;',
    'a deduction guide: it is C++17',
    'template <typename T> struct Box { T value; };',
  ],
  [
    'template arguments that are worked out from a constructor', 'above',
    'template <typename T> struct Box { T value; Box(T v) : value(v) {} }; uint f() { Box box(1u); return box.value; }',
    /template argument deduction is C\+\+17/,
    'template <typename T> struct Box { T value; Box(T v) : value(v) {} }; uint f() { Box<uint> box(1u); return box.value; }',
  ],
  [
    'static_assert without words', 'above',
    'static_assert(sizeof(uint) == 4);',
    /no message is C\+\+17/,
    'static_assert(sizeof(uint) == 4, "a word");',
  ],
  [
    'dynamic_cast', 'body',
    '  thread Pair* p = 0; out[0] = dynamic_cast<thread Pair*>(p) == 0;',
    /dynamic_cast/,
    '  thread Pair* p = 0; out[0] = p == 0;',
  ],
  [
    'typeid', 'body',
    '  Pair pair = {1u, 2u}; (void)typeid(pair);',
    "'typeid' is not supported in Metal",
    '  Pair pair = {1u, 2u}; (void)sizeof(pair);',
  ],
  ['new', 'body', '  thread uint* p = new uint;', "'default new' is not supported in Metal"],
  ['delete', 'body', '  thread uint* p = 0; delete p;', "'default delete' is not supported in Metal"],
  ['double', 'body', '  double x = 1.0;', 'Metal has no double', '  float x = 1.0f;'],
  ['throw', 'body', '  if (item > 9u) throw 1;', /'throw' with exceptions disabled/],
  ['try', 'body', '  try { out[0] = 1u; } catch (...) {}', /'try' with exceptions disabled/],
  [
    'a virtual method', 'above',
    'struct S { virtual uint get() const { return 1u; } };',
    /virtual functions are not supported in Metal/,
    'struct S { uint get() const { return 1u; } };',
  ],
  ['a virtual base class', 'above', 'struct S : virtual Pair {};', 'a virtual base class', 'struct S : Pair {};'],
  [
    'a pointer to a function', 'above',
    'uint f(); uint g() { uint (*p)() = f; return p(); }',
    /pointers to functions are not allowed/,
    'uint f(); uint g() { return f(); }',
  ],
  [
    'a pointer to a function as an argument', 'above',
    'uint g(uint f()) { return f(); }',
    'Metal does not take a pointer to a function, as g has it',
    'uint g(device uint (*f)[4]) { return (*f)[0]; }',
  ],
  [
    'a static local', 'body',
    '  static uint count = 0; out[0] = ++count;',
    /static local variable must reside in constant/,
    '  uint count = 0; out[0] = ++count;',
  ],
  ['a variable outside of functions', 'above', 'uint count;', /program scope variable must reside in constant/, 'constant uint count = 1u;'],
  [
    'an array whose length is not known', 'body',
    '  uint words[item]; out[0] = words[0];',
    /not a constant expression/,
    '  uint words[4]; out[0] = words[0];',
  ],
  ['thread_local', 'body', '  thread_local uint count = 0;', /thread-local storage|thread_local/, '  uint count = 0;'],
  ['the operator noexcept', 'body', '  out[0] = noexcept(item + 1u);', 'Metal does not take the operator noexcept', '  out[0] = item + 1u;'],
  ['a kernel with a result', 'above', 'kernel uint k() { return 1u; }', /kernel must have void return type/, 'kernel void k() {}'],
  ['a function of OpenCL', 'body', '  out[0] = get_global_id(0);', /undeclared identifier 'get_global_id'/, '  out[0] = item;'],
  ['a file that is included', 'above', '#include "ring.h"', /'ring\.h' file not found/, '// #include "ring.h"'],
  ['a header of C', 'above', '#include <stdio.h>', /'stdio\.h' file not found/, '#include <metal_stdlib>'],
  [
    'what a pragma hides', 'above',
    '#pragma clang diagnostic ignored "-Wpre-c++17-compat"\nnamespace a::b { uint f(); }',
    /nested namespace/,
    '#pragma clang diagnostic ignored "-Wunused"\nuint f();',
  ],
  [
    'what calls itself the system', 'above',
    '#pragma GCC system_header\nnamespace a::b { uint f(); }',
    /nested namespace/,
    '#pragma GCC system_header\nuint f();',
  ],
  [
    'a macro that hides it', 'above',
    '#define LEAVE(label) goto label\nvoid f() { a: LEAVE(a); }',
    'Metal does not take goto',
    '#define LEAVE(label) goto label',
  ],
];

const missing = metalCheckMissing();
describe.skipIf(missing !== undefined)(missing === undefined ? 'Metal' : `SKIP ${missing}: Metal`, () => {
  test.each(violations)('refuses %s', (_, where, wrong, message, fine = '') => {
    const { ok, problems } = checkMetal(kernelWith(where, wrong));
    expect(ok).toBe(false);
    expect(problems[0]?.message).toMatch(message);
    expect(problems[0]).toMatchObject({ file: 'shader', line: LINE[where] + (wrong.split('\n').length - 1) });
    expect(checkMetal(kernelWith(where, fine)).output).toBe('');
  });
});
