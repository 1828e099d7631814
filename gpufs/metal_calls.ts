// Who calls whom, and whether anybody comes back to where they are. A template counts as what it was made for: one that calls itself with
// other arguments, until a specialization ends it, is no recursion. Newer versions of Metal have recursion, in compute functions alone and on
// a stack that nobody bounds: texts that are to run everywhere have none.
import { functionAround, isFunction, type Place, type Problem, type TreeNode } from './metal_tree.ts';

interface Call {
  callee: string;
  place: Place;
}

// `... Function 0x5581 'f' 'uint (uint)'` and `... ->get 0x5581`
const NAMED = /\b(?:Function|CXXMethod|CXXConversion) (0x[0-9a-f]+) '/;
const MEMBER = /(?:->|\.)\S.* (0x[0-9a-f]+)$/;

/** One problem for each circle of calls, at the call that leaves its first function. */
export function recursions(nodes: readonly TreeNode[]): Problem[] {
  const { names, calls } = callGraph(nodes);
  const told = new Set<string>();
  const problems: Problem[] = [];
  for (const [start, name] of names) {
    if (told.has(start)) continue;
    const circle = wayBack(start, calls);
    if (circle === undefined) continue;
    for (const call of circle) told.add(call.callee);
    const others = circle.slice(0, -1).map(({ callee }) => names.get(callee));
    const what = others.length === 0 ? `${name} calls itself` : `${name} calls ${others.join(', which calls ')}, which calls ${name}`;
    problems.push({ ...(circle[0] as Call).place, message: `recursion, which Metal has at most in compute functions: ${what}` });
  }
  return problems;
}

function callGraph(nodes: readonly TreeNode[]): { names: Map<string, string>; calls: Map<string, Call[]> } {
  // All declarations of a function are one, under the address of the first.
  const first = new Map<string, string>();
  const names = new Map<string, string>();
  for (const node of nodes) {
    if (!isFunction(node) || node.address === '') continue;
    const one = (node.previous === undefined ? undefined : first.get(node.previous)) ?? node.address;
    first.set(node.address, one);
    names.set(one, node.name);
  }
  const calls = new Map<string, Call[]>();
  for (const node of nodes) {
    const target = (node.kind === 'DeclRefExpr' ? NAMED : node.kind === 'MemberExpr' ? MEMBER : undefined)?.exec(node.rest)?.[1];
    const callee = target === undefined ? undefined : first.get(target);
    const caller = functionAround(node);
    if (callee === undefined || caller === undefined) continue;
    const from = first.get(caller.address) ?? caller.address;
    const known = calls.get(from);
    if (known === undefined) calls.set(from, [{ callee, place: node.place }]);
    else known.push({ callee, place: node.place });
  }
  return { names, calls };
}

/** The shortest way of calls from a function to itself. */
function wayBack(start: string, calls: ReadonlyMap<string, readonly Call[]>): Call[] | undefined {
  const reached = new Map<string, { call: Call; before: string }>();
  const open = [start];
  for (const at of open) {
    for (const call of calls.get(at) ?? []) {
      if (reached.has(call.callee)) continue;
      reached.set(call.callee, { call, before: at });
      open.push(call.callee);
    }
    if (reached.has(start)) break;
  }
  const way: Call[] = [];
  let step = reached.get(start);
  if (step === undefined) return undefined;
  while (step !== undefined) {
    way.unshift(step.call);
    step = step.before === start ? undefined : reached.get(step.before);
  }
  return way;
}
