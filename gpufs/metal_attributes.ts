// The `[[attributes]]` of Metal. clang knows none of them: those that Metal has are taken out of the preprocessed text, or become notes that clang
// puts into its syntax tree, with their numbers worked out; of what is left clang says that it does not know it.
import type { Problem, TreeNode } from './metal_tree.ts';

/** With a number, which is one of so many. */
const INDICES: Readonly<Record<string, number>> = { buffer: 31, threadgroup: 31, texture: 128, sampler: 16 };

const KNOWN = new Set(
  [
    // functions
    'vertex fragment visible stitchable mesh object intersection host_name early_fragment_tests patch',
    'max_total_threads_per_threadgroup max_total_threadgroups_per_mesh_grid required_threads_per_threadgroup max_work_group_size',
    // arguments of every kind of function
    'stage_in function_constant id attribute alias_implicit_imageblock imageblock_data',
    // arguments of kernels
    'thread_position_in_grid thread_position_in_threadgroup thread_index_in_threadgroup thread_index_in_simdgroup thread_index_in_quadgroup',
    'simdgroup_index_in_threadgroup quadgroup_index_in_threadgroup simdgroups_per_threadgroup quadgroups_per_threadgroup',
    'threads_per_simdgroup threads_per_threadgroup threads_per_grid thread_execution_width threadgroup_position_in_grid threadgroups_per_grid',
    'dispatch_threads_per_threadgroup dispatch_simdgroups_per_threadgroup dispatch_quadgroups_per_threadgroup grid_size grid_origin',
    // of the other functions
    'vertex_id instance_id base_vertex base_instance amplification_id amplification_count patch_id position_in_patch payload',
    'position point_size clip_distance invariant shared user flat color index raster_order_group depth stencil sample_mask sample_id',
    'front_facing point_coord primitive_id barycentric_coord render_target_array_index viewport_array_index',
    'center_perspective center_no_perspective centroid_perspective centroid_no_perspective sample_perspective sample_no_perspective',
    'pixel_position_in_tile pixels_per_tile tile_index render_target',
    'origin direction min_distance max_distance distance accept_intersection opaque geometry_id instance_intersection_function_table_offset',
    'world_space_origin world_space_direction world_to_object_transform object_to_world_transform user_instance_id primitive_data',
    'geometry_intersection_function_table_offset key_frame_count motion_start_time motion_end_time time curve_parameter',
  ].flatMap((names) => names.split(' ')),
);

const NOTE = 'metal:';
// A string or a quote in quotes has no attributes. `[[` begins nothing but a list of them.
const LISTS = /'\\?"'|"(?:[^"\\\n]|\\.)*"|\[\[([\s\S]*?)\]\]/g;
const ATTRIBUTE = /([A-Za-z_][\w:]*)[ \t]*(?:\(((?:[^()]|\([^()]*\))*)\))?/g;

/** A preprocessed text with Metal's attributes as clang takes them; its lines stay. */
export function withoutMetalAttributes(text: string): string {
  return text.replace(LISTS, (whole: string, list: string | undefined) => {
    if (list === undefined) return whole;
    let keyword = '';
    const rest = list.replace(ATTRIBUTE, (attribute: string, written: string, number: string | undefined) => {
      const name = written === '__local' ? 'threadgroup' : written; // the stand-in library has made it a keyword of clang's
      if (name === 'kernel' || name === '__kernel') keyword = ' __kernel';
      else if (INDICES[name] !== undefined && number !== undefined) return `clang::annotate("${NOTE}${name}", ${number})`;
      else if (!KNOWN.has(name)) return attribute;
      return attribute.replace(/[^\n]/g, ' ');
    });
    return `[[${rest}]]${keyword}`;
  });
}

/** Indices that are too high, or given to two arguments of one kernel. */
export function indexClashes(nodes: readonly TreeNode[]): Problem[] {
  const kernels = new Set(nodes.filter(({ kind }) => kind === 'OpenCLKernelAttr' || kind === 'DeviceKernelAttr').map(({ parent }) => parent));
  // `value: Int 3` stands below the expression, which stands below the note.
  const values = new Map(nodes.filter(({ kind }) => kind === 'value').map(({ parent, rest }) => [parent?.parent, Number(rest.replace('Int ', ''))]));
  const holders = new Map<string, string>();
  const problems: Problem[] = [];
  for (const note of nodes) {
    const argument = note.parent;
    const name = note.kind === 'AnnotateAttr' ? noteIn(note.rest) : undefined;
    if (name === undefined || argument?.kind !== 'ParmVarDecl' || !kernels.has(argument.parent)) continue;
    const index = values.get(note) ?? Number.NaN;
    const count = INDICES[name] ?? 0;
    const complain = (message: string) => problems.push({ ...argument.place, message: `${argument.name}: ${message}` });
    if (!(index >= 0 && index < count)) complain(`[[${name}(${index})]] is not from 0 to ${count - 1}`);
    const key = `${argument.parent?.address} ${name} ${index}`;
    const holder = holders.get(key);
    if (holder === undefined) holders.set(key, argument.name);
    else complain(`[[${name}(${index})]] is taken by ${holder}`);
  }
  return problems;
}

function noteIn(rest: string): string | undefined {
  return new RegExp(`"${NOTE}(\\w+)"`).exec(rest)?.[1];
}
