import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { BillImportService, MonthLinesService, parsePeriod, PeriodService, ReconcileService } from '@libs/billing';
import { formatUsd, SystemClock } from '@libs/kernel';
import { Client } from 'pg';
import { withBilling } from '../../apps/api/src/commands/operator-context';
import { PAYER_ACCOUNT } from '../../apps/simulator/src/billing/usage-report';
import { SimulatorAdminClient } from '../../apps/simulator/src/simulator-admin.client';

/** The month's cost held against what the simulator itself would bill. Micro-dollars, as decimal strings. */
export interface BillVerdict {
  /** By the simulator's own meter and price list: its Cost and Usage Report. */
  readonly billedMicroUsd: string;
  /** Our own lines and every difference: what tenants, idle and platform bear. */
  readonly fleetMicroUsd: string;
  readonly tenantsMicroUsd: string;
  /** Tenant by tenant, by uuid. */
  readonly tenants: readonly { readonly tenantId: string; readonly microUsd: string }[];
  readonly idleMicroUsd: string;
  readonly platformMicroUsd: string;
  /** How the bill differs from our own reckoning, by reason; empty when the two agree to the micro-dollar. */
  readonly differences: readonly { readonly reason: string; readonly microUsd: string }[];
}

/** Stores the running month's lines, has the simulator write its report up to that very moment, imports it, and compares. */
export async function holdAgainstBill(stack: {
  readonly adminUrl: string;
  readonly simulatorAdminUrl: string;
  readonly folder: string;
}): Promise<BillVerdict> {
  const month = parsePeriod(new SystemClock().now().toISOString().slice(0, 7));
  let billed = 0n;
  await withBilling(
    'demo',
    async (billing) => {
      await billing.get(MonthLinesService).compute(month);
      const asOf = (await billing.get(PeriodService).status(month.name))?.refreshedAt ?? month.end;
      const file = path.join(stack.folder, `bill-${month.name}.csv.gz`);
      writeFileSync(file, await new SimulatorAdminClient(stack.simulatorAdminUrl).bill(month.name, asOf));
      const bill = { files: [file], period: month.name, payer: PAYER_ACCOUNT };
      billed = (await billing.get(BillImportService).import(bill, { actor: 'operator:demo' })).totalMicro;
      await billing.get(ReconcileService).reconcile(month);
    },
    stack.adminUrl,
  );
  return verdict(stack.adminUrl, month.name, billed);
}

export function billLine(bill: BillVerdict): string {
  const usd = (micro: string) => formatUsd(BigInt(micro));
  const differences = bill.differences.map(({ reason, microUsd }) => `${reason} ${usd(microUsd)}`).join(', ');
  const agree = bill.fleetMicroUsd === bill.billedMicroUsd ? '=' : 'IS NOT';
  return (
    `tenants ${usd(bill.tenantsMicroUsd)} + idle ${usd(bill.idleMicroUsd)} + platform ${usd(bill.platformMicroUsd)} = ` +
    `fleet ${usd(bill.fleetMicroUsd)} USD this month ${agree} AWS's bill by the simulator's own meter ${usd(bill.billedMicroUsd)}; ` +
    `of it beyond our own reckoning: ${differences === '' ? 'nothing' : differences}`
  );
}

/** To the micro-dollar: what is billed is what the lines say, and what the lines say is borne, tenant by tenant. */
export function addsUp({ billedMicroUsd, fleetMicroUsd, tenants, ...borne }: BillVerdict): boolean {
  const ofTenants = tenants.reduce((sum, { microUsd }) => sum + BigInt(microUsd), 0n);
  const sum = ofTenants + BigInt(borne.idleMicroUsd) + BigInt(borne.platformMicroUsd);
  const agree = borne.tenantsMicroUsd === ofTenants.toString();
  return agree && billedMicroUsd === fleetMicroUsd && sum.toString() === fleetMicroUsd;
}

const BORNE = `
  SELECT coalesce(sum(share.amount_micro) FILTER (WHERE share.bearer = 'TENANT'), 0)::text AS tenants,
         coalesce(sum(share.amount_micro) FILTER (WHERE share.bearer = 'IDLE'), 0)::text AS idle,
         coalesce(sum(share.amount_micro) FILTER (WHERE share.bearer = 'PLATFORM'), 0)::text AS platform
    FROM fleet_line line JOIN allocation share ON share.fleet_line_id = line.id WHERE line.period = $1`;
const BY_TENANT = `
  SELECT share.tenant_id AS "tenantId", sum(share.amount_micro)::text AS "microUsd"
    FROM fleet_line line JOIN allocation share ON share.fleet_line_id = line.id
   WHERE line.period = $1 AND share.bearer = 'TENANT' GROUP BY share.tenant_id ORDER BY share.tenant_id`;
const FLEET = `SELECT coalesce(sum(cost_micro), 0)::text AS fleet FROM fleet_line WHERE period = $1`;
const DIFFERENCES = `
  SELECT reason, sum(cost_micro)::text AS "microUsd" FROM fleet_line
   WHERE period = $1 AND reason IS NOT NULL GROUP BY reason ORDER BY reason`;

async function verdict(adminUrl: string, period: string, billed: bigint): Promise<BillVerdict> {
  const client = new Client({ connectionString: adminUrl });
  await client.connect();
  try {
    const [borne] = (await client.query<{ tenants: string; idle: string; platform: string }>(BORNE, [period])).rows;
    const [fleet] = (await client.query<{ fleet: string }>(FLEET, [period])).rows;
    const { rows: tenants } = await client.query<{ tenantId: string; microUsd: string }>(BY_TENANT, [period]);
    const { rows } = await client.query<{ reason: string; microUsd: string }>(DIFFERENCES, [period]);
    return {
      billedMicroUsd: billed.toString(),
      fleetMicroUsd: fleet?.fleet ?? '0',
      tenantsMicroUsd: borne?.tenants ?? '0',
      tenants,
      idleMicroUsd: borne?.idle ?? '0',
      platformMicroUsd: borne?.platform ?? '0',
      differences: rows,
    };
  } finally {
    await client.end();
  }
}
