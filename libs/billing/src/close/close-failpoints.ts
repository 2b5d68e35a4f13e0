/** Passed at the end of each step of a close: a rehearsal of a crash ends the process here. */
export class CloseFailpoints {
  constructor(readonly reach: (place: string) => void = () => undefined) {}
}
