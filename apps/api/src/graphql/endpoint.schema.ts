import { Module } from '@nestjs/common';

/**
 * Which of the two schemas a type belongs to (`registerIn`). Nest keeps the types of all modules in one storage, so that
 * without this mark a type of the admin schema would leak into the customers' (and two types of one name would collide).
 */
@Module({})
export class CustomerSchema {}

@Module({})
export class AdminSchema {}

export const inCustomerSchema = { registerIn: () => CustomerSchema };
export const inAdminSchema = { registerIn: () => AdminSchema };
