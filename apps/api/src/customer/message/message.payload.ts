import { Field, Int, ObjectType } from '@nestjs/graphql';
import { inCustomerSchema } from '../../graphql/endpoint.schema';
import { UserError } from '../../graphql/words.type';

@ObjectType('CancelMessagesPayload', { description: 'What was taken back.', ...inCustomerSchema })
export class CancelMessagesPayload {
  @Field(() => Int, { description: 'How many will not be sent because of this call.' })
  canceledCount!: number;

  @Field(() => [UserError], {
    description: 'One per id that could not be taken back: NOT_FOUND or TOO_LATE_TO_CANCEL.',
  })
  userErrors!: UserError[];
}
