// Every pointer and reference of MSL names its address space. clang lets an unnamed one be "generic" and take anything; its dump of the syntax
// tree shows where that happened.

interface Node {
  depth: number;
  kind: string;
  name: string;
  // The compiler wrote this, or what is around it: copying a struct is such code, and legal in MSL.
  generated: boolean;
}

const DECLARATIONS = new Set(['VarDecl', 'ParmVarDecl', 'FieldDecl', 'TypedefDecl', 'TypeAliasDecl']);
const CASTS = new Set(['CStyleCastExpr', 'CXXStaticCastExpr', 'CXXReinterpretCastExpr', 'CXXFunctionalCastExpr']);
const FUNCTIONS = new Set(['FunctionDecl', 'CXXMethodDecl', 'CXXConversionDecl', 'CXXConstructorDecl']);

/** One complaint for each pointer or reference without an address space, and for each method called on an object outside of thread memory. */
export function pointersWithoutSpace(syntaxTree: string): string[] {
  const complaints = new Set<string>();
  const above: Node[] = [];
  let genericObject = false; // the line before made the object of a method call generic
  for (const line of syntaxTree.split('\n')) {
    const parts = /^([|`\- ]*)(\w+) 0x[0-9a-f]+ (.*)$/.exec(line);
    if (parts === null) continue;
    const [, indent = '', kind = '', rest = ''] = parts;
    while (above.length > 0 && above[above.length - 1]!.depth >= indent.length) above.pop();
    const parent = above[above.length - 1];
    const head = rest.slice(0, rest.indexOf("'") >>> 0);
    const type = /'([^']*)'/.exec(rest)?.[1] ?? '';
    const name = /(\w+) $/.exec(head)?.[1] ?? '';
    const generated = (parent?.generated ?? false) || (kind.endsWith('Decl') && / implicit /.test(head));
    above.push({ depth: indent.length, kind, name, generated });
    if (generated) continue;

    const where = above.findLast((node) => FUNCTIONS.has(node.kind) && node !== above[above.length - 1])?.name;
    const inFunction = where === undefined ? '' : `in ${where}: `;
    if (genericObject && /__(?:global|local|constant)\b/.test(type)) {
      complaints.add(`shader: error: ${inFunction}Metal calls a method only on an object in thread memory`);
    }
    genericObject = parent?.kind === 'MemberExpr' && kind === 'ImplicitCastExpr' && rest.endsWith('<AddressSpaceConversion>');
    if (DECLARATIONS.has(kind) && type.includes('__generic')) {
      complaints.add(`shader: error: ${inFunction}${name} points to memory of no named address space`);
    } else if (CASTS.has(kind) && type.includes('__generic')) {
      complaints.add(`shader: error: ${inFunction}a cast names no address space`);
    } else if (FUNCTIONS.has(kind) && type.slice(0, type.indexOf(' (')).includes('__generic')) {
      complaints.add(`shader: error: ${name} returns a pointer without an address space`);
    }
  }
  return [...complaints];
}
