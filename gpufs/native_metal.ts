// What the addon says of Metal on this machine: native/host/metal/metal.h.

export interface NativeMetalSight {
  /** Why no mount can be made on it, and what to do; '' where one can. */
  obstacle: string;
  /** Of the GPU; '' where there is none. */
  name: string;
  /** That it may use at once. */
  memoryBytes: number;
}
