import { SuppressionService } from '@libs/deliverability';
import { Args, Context, Mutation, Parent, Query, ResolveField, Resolver } from '@nestjs/graphql';
import { RequiresScope } from '../../auth/access.decorator';
import { authorOf } from '../../auth/author';
import { PageArgs, pageRequest, toConnection, type Connection } from '../../graphql/connection.type';
import { Input } from '../../graphql/input.decorator';
import { Payloads } from '../../graphql/payload';
import type { CustomerRequest } from '../customer.loaders';
import { EventType } from '../message/message.type';
import { toSuppression } from './suppression.mapping';
import {
  Suppression,
  SuppressionConnection,
  SuppressionFilter,
  SuppressRecipientsInput,
  SuppressRecipientsPayload,
} from './suppression.type';

@Resolver(() => Suppression)
export class SuppressionResolver {
  constructor(
    private readonly suppressionService: SuppressionService,
    private readonly payloads: Payloads,
  ) {}

  @RequiresScope('read')
  @Query(() => SuppressionConnection, { description: 'Addresses that get no mail from you, newest first.' })
  async suppressions(
    @Args() wish: PageArgs,
    @Args('filter', { type: () => SuppressionFilter, nullable: true, description: 'Which of them.' })
    filter: SuppressionFilter | null,
    @Context() { principal }: CustomerRequest,
  ): Promise<Connection<Suppression>> {
    const plan = pageRequest(wish, 'newest-first');
    const page = await this.suppressionService.list(principal.tenantId, plan, {
      ...(typeof filter?.reason === 'string' ? { reason: filter.reason } : {}),
      ...(typeof filter?.address === 'string' ? { address: filter.address } : {}),
    });
    return toConnection(plan, page, (row) => row.id, toSuppression);
  }

  @RequiresScope('send')
  @Mutation(() => SuppressRecipientsPayload, { description: 'Stops mail to these addresses from now on.' })
  suppressRecipients(
    @Input() input: SuppressRecipientsInput,
    @Context() context: CustomerRequest,
  ): Promise<SuppressRecipientsPayload> {
    const { tenantId } = context.principal;
    const reason = input.reason ?? 'manual';
    return this.payloads.of({ added: 0 }, async () => ({
      added: await this.suppressionService.suppress(tenantId, input.addresses, authorOf(context), reason),
    }));
  }

  @ResolveField(() => EventType, {
    nullable: true,
    description: 'The event that caused it. Null when you added it yourself, and for keys of the other mode.',
  })
  cause(@Parent() suppression: Suppression, @Context() { loaders }: CustomerRequest): Promise<EventType | null> {
    return suppression.causeId === null ? Promise.resolve(null) : loaders.events.load(suppression.causeId);
  }
}
