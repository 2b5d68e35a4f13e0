import { z } from 'zod';
import { FAULT_KINDS } from '../faults/fault-plan.policy';

const policy = z
  .union([z.string(), z.record(z.string(), z.unknown())])
  .transform((value) => (typeof value === 'string' ? value : JSON.stringify(value)));
const fraction = z.number().min(0).max(1);

export const regionInput = z.object({
  max24HourSend: z.number().min(-1).optional(),
  maxSendRate: z.number().positive().optional(),
  bucketCapacity: z.number().positive().nullish(),
  productionAccess: z.boolean().optional(),
  sendingEnabled: z.boolean().optional(),
  enforcementStatus: z.enum(['HEALTHY', 'PROBATION', 'SHUTDOWN']).optional(),
  suspended: z.boolean().optional(),
  pricingPlan: z.enum(['NONE', 'ESSENTIALS', 'PRO', 'ENTERPRISE']).optional(),
  /** Decides an open production access request. */
  reviewStatus: z.enum(['PENDING', 'GRANTED', 'DENIED', 'FAILED']).optional(),
});

export const accountInput = z.object({
  alias: z.string().optional(),
  regions: z.record(z.string(), regionInput).optional(),
  roles: z
    .array(
      z.object({
        arn: z.string().regex(/^arn:aws:iam::\d{12}:role\/.+$/),
        trustPolicy: policy,
        permissionPolicy: policy.optional(),
        maxSessionDuration: z.number().int().min(3600).max(43_200).default(3600),
      }),
    )
    .optional(),
  users: z
    .array(
      z.object({
        accessKeyId: z.string().min(8),
        secretAccessKey: z.string().min(8),
        userName: z.string().min(1),
        admin: z.boolean().default(false),
        policy: policy.optional(),
      }),
    )
    .optional(),
});

export const leaseInput = z.object({
  count: z.number().int().min(1).max(50).optional(),
  ips: z.array(z.ipv4()).optional(),
  pool: z.string().optional(),
  /** How far they are warmed up; a new one starts at 1 where the account warms up automatically. */
  warmupPercentage: z.number().int().min(0).max(100).optional(),
});

export const verifyInput = z.object({
  account: z.string(),
  region: z.string(),
  identity: z.string(),
  status: z.enum(['PENDING', 'SUCCESS', 'FAILED']).default('SUCCESS'),
});

export const behaviourInput = z.object({
  bounceRate: fraction.optional(),
  softBounceRate: fraction.optional(),
  complaintRate: fraction.optional(),
  rejectRate: fraction.optional(),
  delayMs: z.number().min(0).optional(),
});

export const faultInput = z.object({
  operation: z.string().default('*'),
  account: z.string().optional(),
  region: z.string().optional(),
  kind: z.enum(FAULT_KINDS),
  count: z.number().int().min(1).optional(),
  rate: fraction.optional(),
  untilMs: z.number().optional(),
  delayMs: z.number().min(0).optional(),
});

export const eventFaultInput = z.object({
  hold: z.boolean().optional(),
  dropRate: fraction.optional(),
  duplicateRate: fraction.optional(),
  reorderMs: z.number().min(0).optional(),
});

export const clockInput = z.object({
  advanceMs: z.number().min(0).optional(),
  speed: z.number().positive().optional(),
});
export const settingsInput = z.object({ identityVerification: z.enum(['auto', 'manual']) });

export type AccountInput = z.input<typeof accountInput>;
export type LeaseInput = z.input<typeof leaseInput>;
export type VerifyInput = z.input<typeof verifyInput>;
export type BehaviourInput = z.input<typeof behaviourInput>;
export type FaultInput = z.input<typeof faultInput>;
export type EventFaultInput = z.input<typeof eventFaultInput>;
export type ClockInput = z.input<typeof clockInput>;
export type SettingsInput = z.input<typeof settingsInput>;
