#!/usr/bin/env node
// Starts dist/fadump.cjs. The version is answered here: reading the program takes longer than that.

const { existsSync } = require('node:fs')
const { join } = require('node:path')

const program = join(__dirname, '..', 'dist', 'fadump.cjs')
if (process.argv.length === 3 && process.argv[2] === '--version') {
  process.stdout.write(`${require('../package.json').version}\n`)
} else if (existsSync(program)) {
  require(program)
} else {
  process.stderr.write('error: fadump is not built yet\n  hint      run: npm run setup\n')
  process.exitCode = 2
}
