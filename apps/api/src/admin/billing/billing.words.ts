import { IDLE_HINTS, MARGIN_VIEWS, PERIOD_STATES, STEP_KINDS, TOPICS } from '@libs/billing';
import { registerEnumType } from '@nestjs/graphql';
import { enumOf } from '../../graphql/words.type';

export type Topic = (typeof TOPICS)[number];
export type MarginView = (typeof MARGIN_VIEWS)[number];
export type RowKind = MarginView | 'IDLE' | 'PLATFORM' | 'NONE';
export type StepKind = (typeof STEP_KINDS)[number];
export type IdleHint = (typeof IDLE_HINTS)[number];
export type PeriodState = (typeof PERIOD_STATES)[number];

export const TopicEnum = enumOf<Topic>(TOPICS);
registerEnumType(TopicEnum, {
  name: 'BillingTopic',
  description: 'What money is paid for, on either side.',
  valuesMap: {
    EVENTS: { description: 'Events that SNS publishes and delivers to us.' },
    CREDITS: { description: 'Credits of AWS, and credit notes of ours.' },
    OTHER: { description: 'What the bill names and no other topic is about.' },
  },
});

export const MarginViewEnum = enumOf<MarginView>(MARGIN_VIEWS);
registerEnumType(MarginViewEnum, { name: 'MarginView', description: 'By what margin is shown.' });

export const RowKindEnum = enumOf<RowKind>([...MARGIN_VIEWS, 'IDLE', 'PLATFORM', 'NONE']);
registerEnumType(RowKindEnum, {
  name: 'MarginRowKind',
  description: 'What a row of a margin is about.',
  valuesMap: {
    IDLE: { description: 'What nobody used.' },
    PLATFORM: { description: 'What we caused: repeated attempts.' },
    NONE: { description: 'What belongs to no tier, or to no account.' },
  },
});

export const StepKindEnum = enumOf<StepKind>(STEP_KINDS);
registerEnumType(StepKindEnum, {
  name: 'WaterfallStepKind',
  description: 'Which part of the fleet’s cost a step is.',
  valuesMap: {
    TENANTS: { description: 'What tenants used.' },
    PLATFORM: { description: 'What we caused: repeated attempts.' },
    IDLE: { description: 'What nobody used.' },
    DELTA: { description: 'What AWS’s bill says beyond our own reckoning.' },
    CREDIT: { description: 'AWS’s credits.' },
    TAX: { description: 'Tax on AWS’s bill.' },
    CORRECTION: { description: 'What AWS corrected of an earlier month.' },
  },
});

export const HintEnum = enumOf<IdleHint>(IDLE_HINTS);
registerEnumType(HintEnum, {
  name: 'IdleHint',
  description: 'What to do about idle cost.',
  valuesMap: {
    ASSIGN_OR_RETURN_IPS: { description: 'Its IPs stand in no pool: put them into one, or give them back.' },
    SHRINK_POOL: { description: 'More than half of the pool passes unused: fewer IPs, or more tenants in it.' },
    USE_OR_CLOSE_ACCOUNT: { description: 'Nobody sends through it: use it, take a plan without a fee, or close it.' },
    EXPLAIN_CHARGE: { description: 'AWS charges for what we did not do: look at the account.' },
    NONE: { description: 'Little is unused, as nights and weekends are.' },
  },
});

export const PeriodStateEnum = enumOf<PeriodState>(PERIOD_STATES);
registerEnumType(PeriodStateEnum, {
  name: 'BillingPeriodState',
  description: 'How final a month is.',
  valuesMap: {
    OPEN: { description: 'It lasts, or its close was not asked for yet.' },
    PROVISIONAL: { description: 'Its own lines are stored and invoices drafted.' },
    RECONCILED: { description: 'AWS’s bill was held against it.' },
    FINAL: { description: 'Invoices have gone out. It stays as it is for ever.' },
  },
});
