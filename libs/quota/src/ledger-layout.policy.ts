/**
 * How the ledger's keys are laid out. A ledger of a lower number is stale, so that it is rebuilt; one of a higher number is that of a
 * newer version, which this one can neither read nor replace.
 */
export const LAYOUT = 3;

/** What a ledger's run id says of its layout: `<run>/<layout>/<buckets>`. */
export function isOfNewerVersion(runId: string | null | undefined): boolean {
  const layout = /\/(\d+)\/\d+$/.exec(runId ?? '')?.[1];
  return Number(layout ?? 0) > LAYOUT;
}
