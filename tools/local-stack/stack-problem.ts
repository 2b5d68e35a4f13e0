/**
 * Something that the person at the keyboard can put right. Its message says what is wrong and how to fix it, and is printed
 * without a stack trace; every other error is a defect and keeps its trace.
 */
export class StackProblem extends Error {
  override readonly name: string = 'StackProblem';
  /** Of the process that ends with it. */
  readonly exitCode: number = 1;
}

/** The command line itself is wrong: nothing was begun. */
export class UsageProblem extends StackProblem {
  override readonly name = 'UsageProblem';
  override readonly exitCode = 2;
}
