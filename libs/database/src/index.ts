export { bootstrapDatabase, LOGIN_ROLES } from './bootstrap';
export type { LoginRole } from './bootstrap';
export { createDataSource } from './data-source';
export { DatabaseModule } from './database.module';
export { DatabaseNotReady, NoUnitOfWork, TenantSwitch } from './database.errors';
export { openOwner, runMigrations } from './migrate';
export { checkRole } from './role-check';
export { UnitOfWork } from './unit-of-work';
export type { Pools } from './unit-of-work';
