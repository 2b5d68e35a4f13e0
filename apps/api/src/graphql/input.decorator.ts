import { Args } from '@nestjs/graphql';

/** The one argument of a mutation. */
export const Input = () => Args('input', { description: 'Everything the mutation needs; its type says what.' });
