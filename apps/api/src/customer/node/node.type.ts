import { Field, ID, InterfaceType } from '@nestjs/graphql';
import { inCustomerSchema } from '../../graphql/endpoint.schema';

/** What `node(id)` answers: the class of an object decides its GraphQL type. */
@InterfaceType('Node', {
  description: 'Anything with an id of its own.',
  resolveType: (value: object) => (value as { constructor: { graphqlName?: string } }).constructor.graphqlName,
  ...inCustomerSchema,
})
export abstract class NodeType {
  @Field(() => ID, { description: 'Public id, for example "msg_01k9y3v7x2f8q..."; the prefix tells the kind.' })
  id!: string;
}
