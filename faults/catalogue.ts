import type { Fault } from './fault';
import { campaignFaults } from './kinds/campaign';
import { eventFaults } from './kinds/events';
import { failoverFaults } from './kinds/failover';
import { hostFaults } from './kinds/host';
import { networkFaults } from './kinds/network';
import { postgresFaults } from './kinds/postgres';
import { redisFaults } from './kinds/redis';
import { sesFaults } from './kinds/ses';
import { workerFaults } from './kinds/workers';

/** Every fault, in the order they are injected. Those that need the same workers follow each other. */
export const FAULTS: readonly Fault[] = [
  ...workerFaults,
  ...redisFaults,
  ...failoverFaults,
  ...postgresFaults,
  ...sesFaults,
  ...eventFaults,
  ...hostFaults,
  ...networkFaults,
  ...campaignFaults,
];
