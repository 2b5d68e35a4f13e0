import type { Mode } from '@libs/kernel';
import { Field, ObjectType } from '@nestjs/graphql';
import { inCustomerSchema } from '../../graphql/endpoint.schema';
import { BigIntScalar, DateTime, Decimal } from '../../graphql/scalars';
import { ModeEnum } from '../../graphql/words.type';
import { NodeType } from '../node/node.type';

@ObjectType('Tenant', {
  description: 'The customer a key belongs to.',
  implements: () => [NodeType],
  ...inCustomerSchema,
})
export class Tenant extends NodeType {
  static readonly graphqlName = 'Tenant';

  @Field(() => String, { description: 'Its name, as the operator wrote it.' })
  name!: string;
}

@ObjectType('SendingLimits', {
  description: 'What may be sent and how much of it is used, counted in recipients over a rolling 24 hours.',
  ...inCustomerSchema,
})
export class SendingLimits {
  @Field(() => BigIntScalar, {
    description:
      "Recipients allowed in any 24 hours: the least of the plan, today's step while the volume grows, and the capacity behind them. -1 = unlimited.",
  })
  recipientsPer24h!: bigint;

  @Field(() => BigIntScalar, { description: 'Recipients sent to in the last 24 hours.' })
  usedLast24h!: bigint;

  @Field(() => Decimal, { description: 'Recipients per second.' })
  recipientsPerSecond!: string;

  @Field(() => DateTime, {
    nullable: true,
    description:
      'When room returns, in your own window or in the capacity you share. Null while there is some, and where a limit of 0 must be raised first.',
  })
  nextFreeAt!: Date | null;

  @Field(() => String, { nullable: true, description: 'Why sending is paused. Null while it is not.' })
  pausedReason!: string | null;
}

@ObjectType('Viewer', { description: 'Who asks: the tenant, mode and scopes of the key.', ...inCustomerSchema })
export class Viewer {
  @Field(() => Tenant, { description: 'The tenant of the key.' })
  tenant!: Tenant;

  @Field(() => ModeEnum, { description: 'The mode of the key.' })
  mode!: Mode;

  @Field(() => [String], {
    description: 'What the key may do: send, read, domains, webhooks, billing:read, billing:write, keys.',
  })
  scopes!: string[];

  @Field(() => SendingLimits, { description: 'Limits of this tenant in this mode, and their use.' })
  sendingLimits?: SendingLimits;
}
