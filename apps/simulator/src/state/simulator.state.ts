import type { ClockScale } from '@libs/kernel';
import type { PricingPlan } from '../billing/list-prices';
import type { DayOfUse } from '../billing/day-of-use';

/** Everything the simulator remembers between two starts, except the arrival log and what is rebuilt from it. */
export interface SimulatorState {
  version: 1;
  clock: ClockScale;
  /** 'auto': a new identity is verified after a delay. 'manual': only through the admin API. */
  identityVerification: 'auto' | 'manual';
  accounts: Map<string, AccountState>;
  sessions: Map<string, SessionState>;
  topics: Map<string, TopicState>;
  domains: Map<string, DomainBehaviour>;
  signing?: SigningState;
  /** What SNS did, for the bill. */
  notifications?: Map<string, DayOfUse>;
}

export interface AccountState {
  id: string;
  alias: string;
  roles: Map<string, RoleState>;
  users: Map<string, UserState>;
  regions: Map<string, RegionState>;
}

export interface RoleState {
  arn: string;
  /** Policy documents as JSON text. */
  trustPolicy: string;
  permissionPolicy?: string | undefined;
  /** Seconds, 3600 to 43200. */
  maxSessionDuration: number;
}

export interface UserState {
  accessKeyId: string;
  secretAccessKey: string;
  userName: string;
  /** Allowed everything in its own account, and to assume any role that trusts it. */
  admin: boolean;
  policy?: string | undefined;
}

export interface SessionState {
  accessKeyId: string;
  secretAccessKey: string;
  sessionToken: string;
  roleArn: string;
  accountId: string;
  sessionName: string;
  policy?: string | undefined;
  /** Real time, milliseconds: credentials do not follow the simulated clock. */
  expiresAt: number;
}

export interface RegionState {
  max24HourSend: number;
  maxSendRate: number;
  bucketCapacity?: number | undefined;
  productionAccess: boolean;
  sendingEnabled: boolean;
  enforcementStatus: 'HEALTHY' | 'PROBATION' | 'SHUTDOWN';
  suspended: boolean;
  suppressedReasons: SuppressionReason[];
  autoWarmup: boolean;
  details?: AccountDetails | undefined;
  quotaRequests: QuotaRequest[];
  identities: Map<string, IdentityState>;
  configurationSets: Map<string, ConfigurationSetState>;
  pools: Map<string, PoolState>;
  ips: Map<string, IpState>;
  suppressed: Map<string, SuppressedState>;
  templates: Map<string, TemplateState>;
  /** What the account pays by; NONE, a la carte, unless set. */
  pricingPlan?: PricingPlan | undefined;
}

export type SuppressionReason = 'BOUNCE' | 'COMPLAINT';

interface AccountDetails {
  MailType: 'MARKETING' | 'TRANSACTIONAL';
  WebsiteURL: string;
  ContactLanguage?: 'EN' | 'JA' | undefined;
  UseCaseDescription?: string | undefined;
  AdditionalContactEmailAddresses?: string[] | undefined;
  ReviewDetails: { Status: 'PENDING' | 'GRANTED' | 'DENIED' | 'FAILED'; CaseId: string };
}

interface QuotaRequest {
  id: string;
  quotaCode: string;
  desiredValue: number;
  status: string;
}

export interface IdentityState {
  name: string;
  type: 'EMAIL_ADDRESS' | 'DOMAIN';
  status: 'PENDING' | 'SUCCESS' | 'FAILED';
  dkimSigningEnabled: boolean;
  dkimOrigin: string;
  dkimTokens: string[];
  mailFromDomain?: string | undefined;
  behaviorOnMxFailure: string;
  configurationSet?: string | undefined;
  feedbackForwarding: boolean;
}

export interface ConfigurationSetState {
  name: string;
  sendingEnabled: boolean;
  deliveryOptions: Record<string, unknown>;
  reputationOptions: Record<string, unknown>;
  trackingOptions?: Record<string, unknown> | undefined;
  suppressedReasons?: SuppressionReason[] | undefined;
  tags: unknown[];
  destinations: Map<string, EventDestinationState>;
}

export interface EventDestinationState {
  name: string;
  enabled: boolean;
  types: string[];
  topicArn?: string | undefined;
  /** CloudWatch, Firehose, EventBridge: stored and shown, nothing is published. */
  other?: Record<string, unknown> | undefined;
}

interface PoolState {
  name: string;
  scalingMode: 'STANDARD' | 'MANAGED';
}

export interface IpState {
  ip: string;
  pool: string;
  warmupStatus: 'IN_PROGRESS' | 'DONE' | 'NOT_APPLICABLE';
  warmupPercentage: number;
  /** Simulated time; the bill begins here. */
  leasedAt?: number | undefined;
}

export interface SuppressedState {
  address: string;
  reason: SuppressionReason;
  at: number;
}

export interface TemplateState {
  name: string;
  content: { Subject?: string | undefined; Text?: string | undefined; Html?: string | undefined };
}

export interface TopicState {
  arn: string;
  accountId: string;
  region: string;
  policy: string;
  signatureVersion: '1' | '2';
  attributes: Record<string, string>;
  subscriptions: Map<string, SubscriptionState>;
}

export interface SubscriptionState {
  arn: string;
  endpoint: string;
  protocol: 'http' | 'https';
  confirmed: boolean;
  token: string;
  authenticateOnUnsubscribe: boolean;
  attributes: Record<string, string>;
}

/** What happens to mail for a recipient domain. Rates are fractions of messages; the delay is the median. */
export interface DomainBehaviour {
  bounceRate: number;
  softBounceRate: number;
  complaintRate: number;
  rejectRate: number;
  delayMs: number;
}

export interface SigningState {
  caPem: string;
  certificatePem: string;
  privateKeyPem: string;
  /** The 32 hex digits in the certificate's address. */
  fingerprint: string;
}

export function emptyState(clock: ClockScale): SimulatorState {
  return {
    version: 1,
    clock,
    identityVerification: 'auto',
    accounts: new Map(),
    sessions: new Map(),
    topics: new Map(),
    domains: new Map(),
  };
}

/** A region as AWS gives it to a new account: the sandbox, 200 recipients a day, one a second (aws-facts 3). */
export function sandboxRegion(): RegionState {
  return {
    max24HourSend: 200,
    maxSendRate: 1,
    productionAccess: false,
    sendingEnabled: true,
    enforcementStatus: 'HEALTHY',
    suspended: false,
    suppressedReasons: ['BOUNCE', 'COMPLAINT'],
    autoWarmup: true,
    quotaRequests: [],
    identities: new Map(),
    configurationSets: new Map(),
    pools: new Map(),
    ips: new Map(),
    suppressed: new Map(),
    templates: new Map(),
  };
}
