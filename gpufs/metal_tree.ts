// clang's dump of the syntax tree, as nodes that know their line and what is around them.

export interface Place {
  file: string;
  line: number;
}

/** Something that Metal would refuse. */
export interface Problem extends Place {
  message: string;
}

export interface TreeNode {
  depth: number;
  kind: string;
  /** Of the thing itself; another node that means it names this. */
  address: string;
  /** The address of the declaration before it of the same thing. */
  previous: string | undefined;
  place: Place;
  name: string;
  /** The first type that is named, mostly its own. */
  type: string;
  /** Everything behind the place. */
  rest: string;
  /** The compiler wrote this, or what is around it: copying a struct is such code, and legal in MSL. */
  generated: boolean;
  parent: TreeNode | undefined;
}

const FUNCTIONS = new Set(['FunctionDecl', 'CXXMethodDecl', 'CXXConversionDecl', 'CXXConstructorDecl', 'CXXDestructorDecl']);

export function isFunction(node: TreeNode): boolean {
  return FUNCTIONS.has(node.kind);
}

/** The innermost function that a node stands in. */
export function functionAround(node: TreeNode): TreeNode | undefined {
  let around = node.parent;
  while (around !== undefined && !isFunction(around)) around = around.parent;
  return around;
}

// `| |-VarDecl 0x5581 prev 0x5570 <line:3:1, col:9> col:6 used words '__global uint *' cinit`; a base class and a value have no address.
const NODE = /^([|`\- ]*)(\w+):?(?: (0x[0-9a-f]+))?(?: parent 0x[0-9a-f]+)?(?: prev (0x[0-9a-f]+))? ?(.*)$/;
const RANGE = /^<(?:<invalid sloc>|[^<>])*>(?: (?:[\w.]+:\d+:\d+|col:\d+|<invalid sloc>))? ?/;
const LOCATION = /\b([\w.]+):(\d+)(?::(\d+))?/g;

/** In the order of the text. */
export function readTree(dump: string): TreeNode[] {
  const nodes: TreeNode[] = [];
  const above: TreeNode[] = [];
  let place: Place = { file: '', line: 0 };
  for (const line of dump.split('\n')) {
    const [, indent, kind, address = '', previous, tail] = NODE.exec(line) ?? [];
    if (indent === undefined || kind === undefined || tail === undefined) continue;
    const range = RANGE.exec(tail)?.[0] ?? '';
    // What a location has in common with the one before it is left out of the dump.
    let begin: Place | undefined;
    for (const [, file = '', number] of range.matchAll(LOCATION)) {
      if (file === 'line') place = { file: place.file, line: Number(number) };
      else if (file !== 'col') place = { file, line: Number(number) };
      begin ??= place;
    }
    const depth = indent.length;
    while (above.length > 0 && above[above.length - 1]!.depth >= depth) above.pop();
    const parent = above[above.length - 1];
    const rest = tail.slice(range.length);
    const [head = '', type = ''] = rest.split("'", 2);
    const generated = (parent?.generated ?? false) || (kind.endsWith('Decl') && /(?:^| )implicit /.test(head));
    const name = /(\S+) $/.exec(head)?.[1] ?? '';
    const node = { depth, kind, address, previous, place: begin ?? parent?.place ?? place, name, type, rest, generated, parent };
    above.push(node);
    nodes.push(node);
  }
  return nodes;
}
