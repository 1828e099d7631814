// The part of the boundary to the addon that is about media; see native/host/medium_profile.h and medium_record.h.

export interface NativeMediumLatency {
  medianNs: number;
  p99Ns: number;
}

export interface NativeMediumDirection extends NativeMediumLatency {
  iops: number;
  /** Of 512 bytes. */
  smallIops: number;
  bytesPerSecond: number;
}

export interface NativeMediumProfile {
  queueDepth: number;
  duplex: boolean;
  read: NativeMediumDirection;
  write: NativeMediumDirection;
  /** 0: no burst cache. */
  burstBytes: number;
  sustainedBytesPerSecond: number;
  sync: NativeMediumLatency;
  seed?: number;
}

export interface NativeMediumTimes extends NativeMediumLatency {
  maxNs: number;
}

export interface NativeMediumAnswers {
  answers: number;
  /** From when the host saw a request to when the medium would have ended it. */
  wanted: NativeMediumTimes;
  /** And to when it was answered. */
  given: NativeMediumTimes;
}

export interface NativeMediumReport {
  answers: number;
  /** How much later than the medium would have been. */
  late: NativeMediumTimes;
  /** Of the answers: later by more than 5 % of the time that the medium takes. */
  lateShare: number;
  read: NativeMediumAnswers;
  write: NativeMediumAnswers;
  sync: NativeMediumAnswers;
}

/** Requests that are always under way on the model of a medium alone, in virtual time. */
export interface NativeMediumLoad {
  write: boolean;
  bytes: number;
  depth: number;
  requests: number;
  /** Each is followed by a sync, and it is those that are measured. */
  sync: boolean;
}

export interface NativeMediumLoadResult extends NativeMediumLatency {
  perSecond: number;
  bytesPerSecond: number;
}
