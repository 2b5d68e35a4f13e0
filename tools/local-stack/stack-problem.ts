/**
 * Something that the person at the keyboard can put right. Its message says what is wrong and how to fix it, and is printed
 * without a stack trace; every other error is a defect and keeps its trace.
 */
export class StackProblem extends Error {
  override readonly name = 'StackProblem';
}
