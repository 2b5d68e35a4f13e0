import { Tenancy1763800000000 } from './1763800000000-tenancy';
import { Fleet1763800001000 } from './1763800001000-fleet';
import { Sending1763800002000 } from './1763800002000-sending';
import { Billing1763800003000 } from './1763800003000-billing';
import { HotTables1763900000000 } from './1763900000000-hot-tables';
import { Reroute1763900001000 } from './1763900001000-reroute';
import { DirectDays1763900002000 } from './1763900002000-direct-days';
import { Usage1764000000000 } from './1764000000000-usage';
import { Invoices1764000001000 } from './1764000001000-invoices';
import { Close1764000002000 } from './1764000002000-close';
import { EventDeliveries1764000003000 } from './1764000003000-event-deliveries';
import { CostPolicy1764000004000 } from './1764000004000-cost-policy';
import { Spend1764000005000 } from './1764000005000-spend';
import { PausedRoutes1764000100000 } from './1764000100000-paused-routes';
import { ClosedMonths1764000200000 } from './1764000200000-closed-months';
import { HeldRoutes1764000201000 } from './1764000201000-held-routes';
import { LargeMonths1764000300000 } from './1764000300000-large-months';
import { PublishedRates1764000301000 } from './1764000301000-published-rates';
import { BodiesInline1764000310000 } from './1764000310000-bodies-inline';
import { SpendCounters1764000400000 } from './1764000400000-spend-counters';
import { BillingVerdicts1764000500000 } from './1764000500000-billing-verdicts';
import { MessageTags1764000600000 } from './1764000600000-message-tags';
import { MessageKeys1764000700000 } from './1764000700000-message-keys';
import { TestMessages1764000701000 } from './1764000701000-test-messages';
import { FormerAccounts1764000702000 } from './1764000702000-former-accounts';
import { PatientDrops1764000703000 } from './1764000703000-patient-drops';
import { SharedRest1764000704000 } from './1764000704000-shared-rest';

/** Every migration in order. Listed by name, so that a file that nobody meant to run is not run. */
export const migrations = [
  Tenancy1763800000000,
  Fleet1763800001000,
  Sending1763800002000,
  Billing1763800003000,
  HotTables1763900000000,
  Reroute1763900001000,
  DirectDays1763900002000,
  Usage1764000000000,
  Invoices1764000001000,
  Close1764000002000,
  EventDeliveries1764000003000,
  CostPolicy1764000004000,
  Spend1764000005000,
  PausedRoutes1764000100000,
  ClosedMonths1764000200000,
  HeldRoutes1764000201000,
  LargeMonths1764000300000,
  PublishedRates1764000301000,
  BodiesInline1764000310000,
  SpendCounters1764000400000,
  BillingVerdicts1764000500000,
  MessageTags1764000600000,
  MessageKeys1764000700000,
  TestMessages1764000701000,
  FormerAccounts1764000702000,
  PatientDrops1764000703000,
  SharedRest1764000704000,
];
