import type { FaultInput } from '../../apps/simulator/src/admin/admin.schemas';
import type { Allowance, Fault } from '../fault';
import { CAMPAIGN, campaignTenants } from '../fleet';
import type { World } from '../world';
import { observeAnew, setAccount } from './ses';
import { killWorkers } from './workers';

const OUTAGE_MS = 3_000;
const KILLS = 3;

/** Stacks whose account has the rate of a campaign already: it keeps it, these come last. */
const raised = new WeakSet<World>();

/** Something that happens while so much marketing mail of one tenant leaves that it shares requests. */
function inCampaign(
  name: string,
  about: string,
  rows: string,
  harm: (world: World) => Promise<unknown>,
  allow: Allowance = { recoverySeconds: 10 },
): Fault {
  return {
    name,
    about,
    rows,
    allow,
    load: { of: campaignTenants, rate: CAMPAIGN.steadyRate },
    prepare: async (world) => {
      await world.workers();
      if (raised.has(world)) return;
      await setAccount(world, { maxSendRate: CAMPAIGN.maxSendRate });
      await observeAnew(world);
      raised.add(world);
    },
    inject: async (world) => {
      await harm(world);
      const shared = await world.witness.shared();
      if (shared === 0) throw new Error('no request was shared: nothing was rehearsed');
      return `${shared} by shared requests`;
    },
  };
}

const broken = (rules: readonly FaultInput[]) => async (world: World) => {
  for (const rule of rules) await world.simulator.addFault(rule);
  await world.wait(OUTAGE_MS);
  await world.simulator.clearFaults();
};

export const campaignFaults: readonly Fault[] = [
  inCampaign(
    'campaign-kill-worker',
    `${KILLS} times, a worker is killed with SIGKILL while mail of a campaign shares requests`,
    '7, 8, 9, 10, 11, 12',
    (world) => killWorkers(world, KILLS),
  ),
  inCampaign(
    'campaign-accept-then-reset',
    'for 3 s a fifth of the shared requests are accepted, and then the connection is reset',
    '23',
    broken([{ operation: 'SendBulkEmail', kind: 'accept-then-reset', rate: 0.2 }]),
  ),
  inCampaign(
    'campaign-429-storm',
    'for 3 s of the shared requests a quarter is throttled, and of a third every other message',
    '24',
    broken([
      { operation: 'SendBulkEmail', kind: '429', rate: 0.25 },
      { operation: 'SendBulkEmail', kind: '429-entries', rate: 0.45 },
    ]),
    { recoverySeconds: 20 },
  ),
];
