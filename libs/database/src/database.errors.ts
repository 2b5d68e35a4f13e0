import { CannotStart } from '@libs/kernel';

/** A repository was used outside a unit of work: a fault of ours, never the caller's. */
export class NoUnitOfWork extends Error {
  constructor() {
    super(
      'No unit of work is open here, or this process has no role for it: wrap the call in UnitOfWork.forTenant, forSystem or forEdge.',
    );
    this.name = 'NoUnitOfWork';
  }
}

/** A statement of the unit failed, and the work went on as if it had not: PostgreSQL took all of it back. */
export class NotCommitted extends Error {
  constructor() {
    super(
      'A statement of this unit of work failed and the failure was not passed on; nothing of the unit was committed.',
    );
    this.name = 'NotCommitted';
  }
}

/** Code tried to leave the tenant it works for: refused before it reaches the database. */
export class TenantSwitch extends Error {
  constructor() {
    super('This unit of work belongs to another scope; a tenant is never switched inside it.');
    this.name = 'TenantSwitch';
  }
}

/** The database cannot be used as configured; the message says what is wrong and how to mend it. */
export class DatabaseNotReady extends CannotStart {
  constructor(message: string) {
    super(message);
    this.name = 'DatabaseNotReady';
  }
}

/** More statements are prepared than the program has: one of them is built from data. */
export class TooManyStatements extends Error {
  constructor(sql: string) {
    super(`a prepared statement must be a constant; this one is new again: ${sql.slice(0, 200)}`);
    this.name = 'TooManyStatements';
  }
}
