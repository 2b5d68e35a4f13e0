/** The secret under which keys are hashed: with the database alone, a stolen digest cannot even be compared. */
export class KeyPepper {
  constructor(readonly value: string) {}
}
