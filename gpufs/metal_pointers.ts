// Every pointer and reference of MSL names its address space. clang lets an unnamed one be "generic" and take anything; its dump of the syntax
// tree shows where that happened.
import { functionAround, isFunction, type Problem, type TreeNode } from './metal_tree.ts';

const DECLARATIONS = new Set(['VarDecl', 'ParmVarDecl', 'FieldDecl', 'TypedefDecl', 'TypeAliasDecl']);
const CASTS = new Set(['CStyleCastExpr', 'CXXStaticCastExpr', 'CXXReinterpretCastExpr', 'CXXFunctionalCastExpr']);

/** One for each pointer or reference without an address space, and for each method called on an object outside of thread memory. */
export function pointersWithoutSpace(nodes: readonly TreeNode[]): Problem[] {
  const problems: Problem[] = [];
  let genericObject = false; // the node before made the object of a method call generic
  for (const node of nodes) {
    if (node.generated) continue;
    const { kind, type, name, parent } = node;
    const where = functionAround(node)?.name;
    const inFunction = where === undefined ? '' : `in ${where}: `;
    const complain = (message: string) => problems.push({ ...node.place, message });
    if (genericObject && /__(?:global|local|constant)\b/.test(type)) complain(`${inFunction}Metal calls a method only on an object in thread memory`);
    genericObject = parent?.kind === 'MemberExpr' && kind === 'ImplicitCastExpr' && node.rest.endsWith('<AddressSpaceConversion>');
    if (DECLARATIONS.has(kind) && type.includes('__generic')) {
      complain(`${inFunction}${name === '' ? 'a parameter' : name} points to memory of no named address space`);
    } else if (CASTS.has(kind) && type.includes('__generic')) {
      complain(`${inFunction}a cast names no address space`);
    } else if (isFunction(node) && type.slice(0, type.indexOf(' (')).includes('__generic')) {
      complain(`${name} returns a pointer without an address space`);
    }
  }
  return problems;
}
