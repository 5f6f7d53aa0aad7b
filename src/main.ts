// What the bundle runs. The version is answered before anything else is loaded.

declare const FADUMP_VERSION: string

if (process.argv.length === 3 && process.argv[2] === '--version') {
  process.stdout.write(`${FADUMP_VERSION}\n`)
} else {
  void import('./cli.ts').then(({ main }) => main())
}
