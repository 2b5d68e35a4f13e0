/** Data that PostgreSQL refuses: class 22 (values), 23 (constraints), 54 (limits), and what a trigger raises. */
const REFUSED = /^(22|23|54|P0001)/;

/** Whether PostgreSQL refused the data of a statement, so that writing it again would meet the same answer. */
export function isRefusedData(error: unknown): boolean {
  const { code, driverError } = error as { code?: unknown; driverError?: { code?: unknown } };
  const state = driverError?.code ?? code;
  return typeof state === 'string' && state.length === 5 && REFUSED.test(state);
}

/**
 * Whether an error is the fault of what was being applied, so that trying again would meet it again. Everything else (a
 * lost connection, a dead-lock, a full disk) passes, and what was being applied must wait for that.
 */
export function isPoison(error: unknown): boolean {
  if (error instanceof TypeError || error instanceof RangeError || error instanceof SyntaxError) return true;
  return isRefusedData(error);
}
