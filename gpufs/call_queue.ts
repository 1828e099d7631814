// Calls to the device run one after the other: a mount has one set of mailboxes and one fault record.

export class CallQueue {
  #last: Promise<unknown> = Promise.resolve();

  /** Runs `call` when every call before it has ended, however it ended. */
  add<Result>(call: () => Promise<Result>): Promise<Result> {
    const result = this.#last.then(call, call);
    this.#last = result.catch(() => undefined);
    return result;
  }
}
