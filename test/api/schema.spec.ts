import { buildSchema, isObjectType, isInputObjectType, isInterfaceType, isEnumType, type GraphQLSchema } from 'graphql';
import { driftedSchemas, printSchemas } from '../../apps/api/src/graphql/schema-files';

it('prints', async () => {
  for (const { file, text } of await printSchemas()) { buildSchema(text); console.log(file, text.length, text); }
});
