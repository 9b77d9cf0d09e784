const project = name => ({
  displayName: name,
  testEnvironment: 'node',
  roots: ['<rootDir>/tests/' + name],
  testMatch: ['**/*.test.ts'],
  transform: { '^.+\\.ts$': ['ts-jest', { diagnostics: false }] },
  modulePathIgnorePatterns: ['/dist/'],
});

/** @type {import('jest').Config} */
module.exports = {
  testTimeout: 180_000,
  ...(process.env.JEST_CACHE ? { cacheDirectory: process.env.JEST_CACHE } : {}),
  projects: ['unit', 'policy', 'toolchain', 'engine', 'rds', 'integration', 'acceptance'].map(project),
};
