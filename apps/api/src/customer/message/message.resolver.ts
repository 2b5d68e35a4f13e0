import { DomainError } from '@libs/kernel';
import { MessageService, type MessageFilter as Filter } from '@libs/sending';
import { Args, Context, ID, Mutation, Parent, Query, ResolveField, Resolver } from '@nestjs/graphql';
import { RequiresScope } from '../../auth/access.decorator';
import { authorOf } from '../../auth/author';
import { ForwardPageArgs, PageArgs, pageRequest, toConnection, type Connection } from '../../graphql/connection.type';
import { Input } from '../../graphql/input.decorator';
import { invalidField, Payloads } from '../../graphql/payload';
import { uuidOf } from '../../graphql/public-id';
import { Decimal } from '../../graphql/scalars';
import type { CustomerRequest } from '../customer.loaders';
import { CancelMessagesInput, MessageFilter } from './message.input';
import { toMessage } from './message.mapping';
import { CancelMessagesPayload } from './message.payload';
import { EventConnection, Message, MessageConnection, Wait, type EventType } from './message.type';

const MAX_IDS = 1_000;

@Resolver(() => Message)
export class MessageResolver {
  constructor(
    private readonly messageService: MessageService,
    private readonly payloads: Payloads,
  ) {}

  @RequiresScope('read')
  @Query(() => Message, { nullable: true, description: 'One message of yours. Null when there is none of this id.' })
  message(
    @Args('id', { type: () => ID, description: 'Public id (msg_...).' }) id: string,
    @Context() { loaders }: CustomerRequest,
  ): Promise<Message | null> {
    return loaders.messages.load(uuidOf('message', id));
  }

  @RequiresScope('read')
  @Query(() => MessageConnection, { description: "Your messages of the key's mode, newest first." })
  async messages(
    @Args() wish: PageArgs,
    @Args('filter', { type: () => MessageFilter, nullable: true, description: 'Which of them.' })
    filter: MessageFilter | null,
    @Context() { principal }: CustomerRequest,
  ): Promise<Connection<Message>> {
    const plan = pageRequest(wish, 'newest-first');
    const page = await this.messageService.list(principal.tenantId, plan, filterOf(filter, principal.mode));
    return toConnection(plan, page, (row) => row.id, toMessage);
  }

  @RequiresScope('send')
  @Mutation(() => CancelMessagesPayload, {
    description:
      'Takes back messages that have not left yet: by ids, or the first 10,000 that match a filter. A filter without a condition is refused.',
  })
  cancelMessages(
    @Input() input: CancelMessagesInput,
    @Context() context: CustomerRequest,
  ): Promise<CancelMessagesPayload> {
    const { loaders } = context;
    const { tenantId, mode } = context.principal;
    const by = authorOf(context);
    return this.payloads.of({ canceledCount: 0 }, async () => {
      if (!input.ids) {
        const { canceled } = await this.messageService.cancel(
          tenantId,
          { filter: filterOf(input.filter ?? null, mode) },
          by,
        );
        return { canceledCount: canceled.length };
      }
      if (input.ids.length > MAX_IDS) throw invalidField('ids', `At most ${MAX_IDS} ids; found ${input.ids.length}.`);
      const own = await loaders.messages.loadMany(input.ids.map((id) => uuidOf('message', id)));
      const ids = own.map((message) => (message instanceof Message ? message.row.id : uuidOf('message', '')));
      const { canceled, issues } = await this.messageService.cancel(tenantId, { ids }, by);
      return {
        canceledCount: canceled.length,
        ...(issues.length > 0 ? { userErrors: this.payloads.toUserErrors(issues) } : {}),
      };
    });
  }

  @ResolveField(() => Wait, {
    nullable: true,
    description: 'Which limit holds it, and when it should go. Null once sent or settled.',
  })
  wait(@Parent() message: Message, @Context() { loaders }: CustomerRequest): Promise<Wait | null> {
    return loaders.waits.load(message.row.id);
  }

  @ResolveField(() => EventConnection, { description: 'What happened to it, oldest first.' })
  timeline(
    @Parent() message: Message,
    @Args() wish: ForwardPageArgs,
    @Context() { loaders }: CustomerRequest,
  ): Promise<Connection<EventType>> {
    return loaders.timelines.load({ messageId: message.row.id, plan: pageRequest(wish, 'oldest-first') });
  }

  @ResolveField(() => Decimal, {
    nullable: true,
    description:
      'US dollars for this message, from the rate card in force when it was sent. Null until then, and in test mode.',
  })
  cost(@Parent() message: Message, @Context() { loaders }: CustomerRequest): Promise<string | null> {
    return loaders.costs.load(message.row);
  }
}

function filterOf(filter: MessageFilter | null, mode: Filter['mode']): Filter {
  const { gte, lt } = filter?.createdAt ?? {};
  if (gte && lt && gte >= lt) {
    throw new DomainError({
      code: 'INVALID_INPUT',
      message: '`gte` must be before `lt`.',
      path: ['filter', 'createdAt'],
    });
  }
  return { ...filter, ...(mode === undefined ? {} : { mode }) };
}
