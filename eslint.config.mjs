import eslint from '@eslint/js';
import tseslint from 'typescript-eslint';

/** Time and chance are injected: the only clock is kernel's, the only dice are seeded. */
const bannedGlobals = [
  { object: 'Date', property: 'now', message: 'Inject a Clock; Date.now() is legal in SystemClock only.' },
  { object: 'Math', property: 'random', message: 'Chance is seeded and injected; secrets come from node:crypto.' },
  { object: 'process', property: 'env', message: 'The environment is read in libs/config only.' },
];

const bannedSyntax = [
  {
    selector: 'NewExpression[callee.name="Date"][arguments.length=0]',
    message: 'Inject a Clock; new Date() without an argument is legal in SystemClock only.',
  },
  { selector: 'CallExpression[callee.name="forwardRef"]', message: 'A cycle is broken by design, not by forwardRef.' },
  { selector: 'ExportAllDeclaration', message: 'A front door lists names: no export *.' },
  {
    selector: 'CallExpression[callee.property.name="createQueryRunner"]',
    message: 'Transactions are opened by UnitOfWork; query runners belong to libs/database.',
  },
  {
    selector:
      'CallExpression[callee.property.name="query"] > TemplateLiteral.arguments:first-child[expressions.length>0]',
    message: 'SQL text never contains data: use parameters. Fixed fragments belong in named constants.',
  },
  {
    selector: 'Literal[value=/set_config|SET\\s+(SESSION\\s+)?app\\./i]',
    message: 'The tenant is set by UnitOfWork alone.',
  },
  {
    selector: 'Property[key.name="query_timeout"]',
    message: 'Client-side time-outs leave transactions open: use statement_timeout.',
  },
  {
    selector: 'Property[key.name="cache"][value.value=true]',
    message: 'A result cache crosses tenants under row-level security.',
  },
  { selector: 'TSAsExpression > TSAnyKeyword', message: 'Say the type.' },
  {
    selector: 'AssignmentExpression[operator=/^[-+*]=$/][left.type="MemberExpression"] > AwaitExpression.right',
    message: 'The sum is read before the wait, and what others add meanwhile is lost: await first, then add.',
  },
];

/** No number near money: a price is a rational of bigints and is rounded in kernel alone. */
const moneySyntax = [
  {
    selector: ':not(TSIndexedAccessType) > TSNumberKeyword',
    message: 'Money, and whatever is reckoned near it, is bigint.',
  },
  { selector: 'CallExpression[callee.name="parseFloat"]', message: 'Money is bigint micro-dollars.' },
  { selector: 'CallExpression[callee.name="Number"]', message: 'Money is bigint micro-dollars.' },
  {
    selector: 'CallExpression[callee.object.name="Math"][callee.property.name=/^(round|floor|ceil)$/]',
    message: 'Money is rounded in kernel: divideHalfEven.',
  },
  { selector: 'CallExpression[callee.property.name="toFixed"]', message: 'Money is formatted by kernel: formatUsd.' },
];

export default tseslint.config(
  { ignores: ['dist/**', 'node_modules/**', '.data/**', 'coverage/**', 'test/architecture/planted/**'] },
  eslint.configs.recommended,
  {
    files: ['**/*.ts'],
    extends: [...tseslint.configs.strictTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      'no-restricted-properties': ['error', ...bannedGlobals],
      'no-restricted-syntax': ['error', ...bannedSyntax],
      '@typescript-eslint/no-extraneous-class': ['error', { allowWithDecorator: true }],
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/consistent-type-imports': 'off', // would turn imports that Nest needs at run time into types
      '@typescript-eslint/no-unnecessary-type-parameters': 'off', // newId<MessageId>() names the brand it makes
      'no-control-regex': 'off', // control characters are what those rules look for
      'max-lines': ['error', { max: 400, skipBlankLines: true, skipComments: true }],
    },
  },
  {
    files: ['libs/billing/src/**/*.ts'],
    ignores: ['**/*.spec.ts'],
    rules: { 'no-restricted-syntax': ['error', ...bannedSyntax, ...moneySyntax] },
  },
  {
    // Nest's options and GraphQL's types are classes because decorators need one; what travels are plain objects.
    files: ['apps/**/*.ts', 'simulation/**/*.ts', 'test/**/*.ts', 'tools/**/*.ts'],
    rules: {
      '@typescript-eslint/no-unsafe-class-instance-assignment': 'off',
      '@typescript-eslint/no-misused-spread': 'off',
    },
  },
  {
    files: ['libs/kernel/src/clock.ts'],
    rules: { 'no-restricted-properties': 'off', 'no-restricted-syntax': 'off' },
  },
  { files: ['libs/config/src/**/*.ts', 'test/support/**/*.ts'], rules: { 'no-restricted-properties': 'off' } },
  {
    files: ['libs/database/src/**/*.ts', 'migrations/**/*.ts', 'test/**/*.ts', 'tools/database/**/*.ts'],
    rules: { 'no-restricted-syntax': 'off' },
  },
  {
    files: ['**/*.spec.ts', 'test/**/*.ts'],
    rules: { '@typescript-eslint/no-non-null-assertion': 'off', 'max-lines': 'off' },
  },
  {
    files: ['**/*.mjs', '**/*.cjs'],
    languageOptions: {
      globals: {
        process: 'readonly',
        console: 'readonly',
        URL: 'readonly',
        module: 'readonly',
        setTimeout: 'readonly',
        clearTimeout: 'readonly',
        fetch: 'readonly',
        Buffer: 'readonly',
      },
    },
  },
);
