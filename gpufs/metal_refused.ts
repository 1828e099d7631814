// Single constructs that clang takes and Metal 3.2 does not, or not everywhere, each a kind of node in the syntax tree.
import { functionAround, type Problem, type TreeNode } from './metal_tree.ts';

const REFUSED: Readonly<Record<string, string>> = {
  LambdaExpr: 'a lambda: not every compiler of 3.2 does', // the specification of 3.2 had none when it came out
  GotoStmt: 'goto',
  IndirectGotoStmt: 'goto',
  GCCAsmStmt: 'inline assembly',
  MSAsmStmt: 'inline assembly',
  FileScopeAsmDecl: 'inline assembly',
  CXXNoexceptExpr: 'the operator noexcept',
  CXXDeductionGuideDecl: 'a deduction guide: it is C++17',
  virtual: 'a virtual base class',
};

export function refusedConstructs(nodes: readonly TreeNode[]): Problem[] {
  return nodes.flatMap((node) => {
    const what = node.generated ? undefined : Object.hasOwn(REFUSED, node.kind) ? REFUSED[node.kind] : functionArgument(node);
    return what === undefined ? [] : [{ ...node.place, message: `Metal does not take ${what}` }];
  });
}

// clang refuses variables that point to functions, not arguments. Metal has such pointers for visible functions alone.
function functionArgument(node: TreeNode): string | undefined {
  if (node.kind !== 'ParmVarDecl' || !/\([*&][^)]*\)\s*\(/.test(node.type)) return undefined;
  return `a pointer to a function, as ${functionAround(node)?.name ?? 'a function'} has it as an argument`;
}
