import { Context, Parent, ResolveField, Resolver } from '@nestjs/graphql';
import type { CustomerRequest } from '../customer.loaders';
import { EventType, Message } from './message.type';

@Resolver(() => EventType)
export class EventResolver {
  @ResolveField(() => Message, {
    nullable: true,
    description: 'The message it happened to. Null when it concerns none.',
  })
  message(@Parent() event: EventType, @Context() { loaders }: CustomerRequest): Promise<Message | null> {
    return event.messageId === null ? Promise.resolve(null) : loaders.messages.load(event.messageId);
  }
}
