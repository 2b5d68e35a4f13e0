import { createHash } from 'node:crypto';
import type { FleetLine } from '../cost/fleet-line';

/** The same lines, borne by the same, give the same text, whenever and wherever they were computed. sha256, hexadecimal. */
export function hashOfLines(lines: readonly FleetLine[]): string {
  const hash = createHash('sha256');
  for (const line of lines) {
    const facts = [
      line.sendingAccountId,
      line.laneId,
      line.sku,
      line.span.from.toISOString(),
      line.span.to.toISOString(),
    ];
    hash.update(`${facts.join('|')}|${line.quantity}|${line.costMicro}|${line.rateIds.join(',')}|${line.method}\n`);
    for (const share of line.allocations) {
      hash.update(`  ${share.bearer}|${share.weight}|${share.quantity}|${share.costMicro}\n`);
    }
  }
  return hash.digest('hex');
}
