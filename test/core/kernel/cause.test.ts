import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type CrashCause, classifyLine, findCause } from '../../../src/core/kernel/cause.ts'
import { causeTable } from '../../../src/core/kernel/cause-table.ts'
import { makeRecords, parseConsole } from '../../make/log-text.ts'

const logs = join(import.meta.dirname, '../../fixtures/logs')
const causeOf = (file: string): CrashCause => findCause(parseConsole(readFileSync(join(logs, file), 'utf8')))
const classify = (text: string) => classifyLine({ seq: 0, timeUs: 0, caller: undefined, text })
const panic = (reason: string): string => `Kernel panic - not syncing: ${reason}`

/** Lines that kernels print, by class. */
type Sample = [name: string, text: string, details?: Record<string, string>]
const samples: Sample[] = [
  ['sysrq', 'sysrq: Trigger a crash'],
  ['sysrq', 'SysRq : Trigger a crash'],
  ['sysrq', panic('sysrq triggered crash')],
  [
    'null-deref',
    'BUG: kernel NULL pointer dereference, address: 0000000000000008',
    { address: '0000000000000008' },
  ],
  [
    'null-deref',
    'BUG: unable to handle kernel NULL pointer dereference at 0000000000000010',
    { address: '0000000000000010' },
  ],
  [
    'null-deref',
    'Unable to handle kernel NULL pointer dereference at virtual address 0000000000000038',
    { address: '0000000000000038' },
  ],
  [
    'null-deref',
    'BUG: Kernel NULL pointer dereference on read at 0x00000008',
    { access: 'read', address: '0x00000008' },
  ],
  ['null-deref', 'BUG: Kernel NULL pointer dereference at 0x00000000', { address: '0x00000000' }],
  [
    'page-fault',
    'BUG: unable to handle page fault for address: ffffa4c9c0b57000',
    { address: 'ffffa4c9c0b57000' },
  ],
  [
    'page-fault',
    'BUG: unable to handle kernel paging request at ffffc90000a5d000',
    { address: 'ffffc90000a5d000' },
  ],
  [
    'page-fault',
    'Unable to handle kernel paging request at virtual address dead000000000108',
    { address: 'dead000000000108' },
  ],
  [
    'page-fault',
    'Unable to handle kernel write to read-only memory at virtual address ffff800009b10000',
    { address: 'ffff800009b10000' },
  ],
  [
    'page-fault',
    'BUG: Unable to handle kernel data access on read at 0xc0003fffc0000000',
    { address: '0xc0003fffc0000000' },
  ],
  ['page-fault', 'BUG: Unable to handle kernel instruction fetch (NULL pointer?) at 0x0', { address: '0x0' }],
  ['gpf', 'general protection fault: 0000 [#1] SMP NOPTI'],
  [
    'gpf',
    'general protection fault, probably for non-canonical address 0xdead000000000122: 0000 [#1] SMP PTI',
    { address: '0xdead000000000122' },
  ],
  [
    'gpf',
    'Oops: general protection fault, probably for non-canonical address 0x6b6b6b6b6b6b6b6b: 0000 [#1] SMP',
    { address: '0x6b6b6b6b6b6b6b6b' },
  ],
  ['invalid-op', 'invalid opcode: 0000 [#1] PREEMPT SMP'],
  ['invalid-op', 'Oops: int3: 0000 [#1] SMP'],
  ['divide-error', 'divide error: 0000 [#1] SMP PTI'],
  ['stack-overflow', 'traps: PANIC: double fault, error_code: 0x0'],
  [
    'stack-overflow',
    'BUG: TASK stack guard page was hit at 00000000d5f4a3ae (stack is 00000000be1f7d0e..0000000020f9a33c)',
    { stack: 'TASK stack' },
  ],
  ['stack-overflow', 'Insufficient stack space to handle exception!'],
  [
    'cfi',
    'CFI failure at do_one_initcall+0xcc/0x2d8 (target: lkdtm_increment_int+0x0/0x1c; expected type: 0x7e0c52a5)',
    { symbol: 'do_one_initcall+0xcc/0x2d8' },
  ],
  ['hardware', 'SError Interrupt on CPU2, code 0x00000000be000411 -- SError', { cpu: '2' }],
  ['bug', 'kernel BUG at mm/slub.c:4023!', { file: 'mm/slub.c', line: '4023' }],
  [
    'memory-corruption',
    'list_del corruption. prev->next should be ffff88810c8b4a00, but was dead000000000100',
  ],
  [
    'memory-corruption',
    'list_add corruption. next->prev should be prev (ffffffff82a5c0c8), but was 0000000000000000.',
  ],
  ['memory-corruption', 'BUG: Bad page state in process systemd  pfn:10f7d2'],
  [
    'memory-corruption',
    'BUG: KASAN: slab-out-of-bounds in kmalloc_oob_right+0x159/0x170',
    { kind: 'slab-out-of-bounds', symbol: 'kmalloc_oob_right+0x159/0x170' },
  ],
  ['memory-corruption', 'BUG kmalloc-64 (Not tainted): Left Redzone overwritten'],
  [
    'memory-corruption',
    panic('stack-protector: Kernel stack is corrupted in: lkdtm_CORRUPT_STACK_STRONG+0x4e/0x50'),
    { symbol: 'lkdtm_CORRUPT_STACK_STRONG+0x4e/0x50' },
  ],
  ['memory-corruption', 'refcount_t: underflow; use-after-free.'],
  [
    'soft-lockup',
    'watchdog: BUG: soft lockup - CPU#1 stuck for 8s! [init:1]',
    { cpu: '1', seconds: '8', comm: 'init', pid: '1' },
  ],
  [
    'soft-lockup',
    'NMI watchdog: BUG: soft lockup - CPU#11 stuck for 22s! [kworker/11:1:317]',
    { cpu: '11', seconds: '22', comm: 'kworker/11:1', pid: '317' },
  ],
  ['soft-lockup', panic('softlockup: hung tasks')],
  ['hard-lockup', 'NMI watchdog: Watchdog detected hard LOCKUP on cpu 3', { cpu: '3' }],
  ['hard-lockup', 'watchdog: CPU3: Watchdog detected hard LOCKUP on cpu 3', { cpu: '3' }],
  ['hard-lockup', 'watchdog: CPU 5 self-detected hard LOCKUP @ _raw_spin_lock+0x54/0x90', { cpu: '5' }],
  ['hard-lockup', panic('Hard LOCKUP')],
  ['rcu-stall', 'rcu: INFO: rcu_sched self-detected stall on CPU', { flavour: 'rcu_sched' }],
  ['rcu-stall', 'rcu: INFO: rcu_preempt detected stalls on CPUs/tasks:', { flavour: 'rcu_preempt' }],
  ['rcu-stall', panic('RCU Stall')],
  [
    'hung-task',
    'INFO: task init:1 blocked for more than 5 seconds.',
    { comm: 'init', pid: '1', seconds: '5' },
  ],
  [
    'hung-task',
    'INFO: task kworker/u8:3:151 blocked in I/O wait for more than 120 seconds.',
    { comm: 'kworker/u8:3', pid: '151', seconds: '120' },
  ],
  ['hung-task', panic('hung_task: blocked tasks')],
  [
    'oom',
    'Out of memory: Killed process 2144 (stress) total-vm:2101252kB, anon-rss:1893252kB, file-rss:4kB',
    { pid: '2144', comm: 'stress' },
  ],
  ['oom', panic('Out of memory: system-wide panic_on_oom is enabled')],
  ['oom', panic('System is deadlocked on memory')],
  [
    'warn-panic',
    'WARNING: CPU: 0 PID: 93 at drivers/misc/lkdtm/bugs.c:131 lkdtm_WARNING+0x1d/0x30',
    { cpu: '0', pid: '93', where: 'drivers/misc/lkdtm/bugs.c:131' },
  ],
  ['warn-panic', panic('kernel: panic_on_warn set ...')],
  ['init-death', panic('Attempted to kill init! exitcode=0x0000000b'), { exitcode: '0x0000000b' }],
  ['idle-death', panic('Attempted to kill the idle task!')],
  ['idle-death', panic('Aiee, killing interrupt handler!')],
  ['no-root', panic('VFS: Unable to mount root fs on unknown-block(0,0)')],
  ['hardware', 'mce: [Hardware Error]: CPU 2: Machine Check Exception: 5 Bank 6: be00000000800400'],
  ['hardware', '{1}[Hardware Error]: event severity: fatal'],
  ['hardware', 'EEH: Frozen PHB#0-PE#2 detected'],
  ['hardware', panic('Fatal hardware error!')],
  ['hardware', panic('Fatal machine check on current CPU')],
  ['hardware', panic('Asynchronous SError Interrupt')],
  ['nmi', 'Uhhuh. NMI received for unknown reason 3d on CPU 0.'],
  ['nmi', panic('NMI: Not continuing')],
  ['explicit', panic('my driver gave up')],
]

describe('the cause table', () => {
  it.each<Sample>(samples)('%s: %s', (name, text, details = {}) => {
    expect(classify(text)).toMatchObject({ class: name, details })
  })

  it('has a sample line for every class', () => {
    const sampled = new Set(samples.map(([name]) => name))
    expect(causeTable.map((row) => row.class).filter((name) => !sampled.has(name))).toEqual([])
  })

  it.each([
    'traps: a.out[812] general protection fault ip:401136 sp:7ffd5b0c4a10 error:0 in a.out[401000+1000]',
    'traps: a.out[813] trap invalid opcode ip:401136 sp:7ffd5b0c4a10 error:0',
    '---[ end Kernel panic - not syncing: sysrq triggered crash ]---',
    'Memory cgroup out of memory: Killed process 99 (stress)',
    'Command line: comment=kernel BUG at mm/slub.c:1!',
    'Kernel panic',
    'EEH: pSeries platform initialized',
  ])('knows nothing of: %s', (text) => {
    expect(classify(text)).toBeUndefined()
  })

  it('needs little time for any line, hostile ones too', { timeout: 5000 }, () => {
    const hostile = [
      ...samples.map(([, text]) => text.repeat(40)),
      'Unable to handle kernel '.repeat(40),
      `INFO: task ${':1'.repeat(500)}`,
      `CPU: 1 PID: 1 Comm: ${'Tainted: A '.repeat(90)}`,
      `BUG x (${') '.repeat(500)}`,
    ]
    for (let i = 0; i < 100; i++) expect(findCause(makeRecords(hostile)).events.length).toBeGreaterThan(0)
  })
})

describe('the cause of a crash', () => {
  it('is the NULL dereference, not the panic that followed (lkdtm EXCEPTION)', () => {
    const found = causeOf('exception.txt')
    expect(found.cause).toMatchObject({
      class: 'null-deref',
      timeUs: 2_478_480,
      details: { address: '0000000000000000' },
    })
    expect(found.message).toBe('Kernel panic - not syncing: Fatal exception')
    expect(found.events.map((e) => e.class)).toEqual(['null-deref', 'explicit'])
    expect(found.facts).toEqual({
      cpu: 1,
      pid: 1,
      comm: 'init',
      taint: '',
      hardware: 'QEMU Standard PC (i440FX + PIIX, 1996), BIOS 1.17.0-debian-1.17.0-1 04/01/2014',
      instruction: 'lkdtm_EXCEPTION+0x0/0x10 [lkdtm]',
      oopsCount: 1,
      modules: ['lkdtm'],
      callTrace: [
        ' <TASK>',
        ' lkdtm_do_action+0x18/0x1b [lkdtm]',
        ' direct_entry.cold+0x18/0x35 [lkdtm]',
        ' full_proxy_write+0x5c/0xb0',
        ' vfs_write+0xaa/0x430',
        ' ksys_write+0x63/0xe0',
        ' do_syscall_64+0x5a/0x410',
        ' ? irqentry_exit+0x39/0x600',
        ' entry_SYSCALL_64_after_hwframe+0x4b/0x53',
        'RIP: 0033:0x47b7a0',
        ' </TASK>',
      ],
    })
    expect(found.hadEarlierOops).toBe(false)
  })

  it('is the blocked task, with its own call trace, and the CPU line is that of the detector (lkdtm HUNG_TASK)', () => {
    const found = causeOf('hung-task.txt')
    expect(found.cause).toMatchObject({
      class: 'hung-task',
      details: { comm: 'init', pid: '1', seconds: '5' },
    })
    expect(found.message).toBe('Kernel panic - not syncing: hung_task: blocked tasks')
    expect(found.facts).toMatchObject({ cpu: 1, pid: 28, comm: 'khungtaskd' })
    expect(found.facts?.callTrace[3]).toBe(' lkdtm_HUNG_TASK+0x15/0x20 [lkdtm]')
  })

  it('is the soft lockup (lkdtm SOFTLOCKUP)', () => {
    const found = causeOf('softlockup.txt')
    expect(found.cause).toMatchObject({
      class: 'soft-lockup',
      details: { cpu: '1', seconds: '8', comm: 'init', pid: '1' },
    })
    expect(found.message).toBe('Kernel panic - not syncing: softlockup: hung tasks')
    expect(found.facts).toMatchObject({
      cpu: 1,
      pid: 1,
      comm: 'init',
      taint: '',
      instruction: 'lkdtm_SOFTLOCKUP+0x9/0x10 [lkdtm]',
    })
    expect(found.facts?.callTrace.slice(0, 2)).toEqual([' <TASK>', ' lkdtm_do_action+0x18/0x1b [lkdtm]'])
  })

  it('is a line of the last two minutes before one of an hour ago', () => {
    const old = makeRecords(['BUG: kernel NULL pointer dereference, address: 08', '---[ end trace 0 ]---'])
    const late = makeRecords(['sysrq: Trigger a crash', panic('sysrq triggered crash')], 3600e6)
    expect(findCause([...old, ...late]).events.map((e) => e.class)).toEqual(['sysrq', 'sysrq'])
  })

  it('reaches back for an oops block that began before the two minutes and goes on', () => {
    const block = makeRecords([
      '------------[ cut here ]------------',
      'kernel BUG at mm/slub.c:1!',
      'RIP: 0010:x+0x1/0x2',
    ])
    const late = makeRecords(['Modules linked in: a', panic('Fatal exception')], 121e6)
    expect(findCause([...block, ...late]).cause).toMatchObject({ class: 'bug' })
  })

  it('is looked for in the whole log when the last two minutes say nothing', () => {
    const old = makeRecords([panic('out of ideas')])
    expect(findCause([...old, ...makeRecords(['Rebooting in 300 seconds..'], 3600e6)]).cause?.class).toBe(
      'explicit',
    )
  })

  it('is the request even after an oops that the machine survived', () => {
    const found = findCause(
      makeRecords([
        'BUG: kernel NULL pointer dereference, address: 0000000000000008',
        'CPU: 0 PID: 7 Comm: bash Tainted: G        W          6.1.0 #1',
        '---[ end trace 0000000000000000 ]---',
        'sysrq: Trigger a crash',
        panic('sysrq triggered crash'),
        'CPU: 2 UID: 0 PID: 7 Comm: my shell Kdump: loaded Tainted: G      D W  O       6.1.0 #1',
      ]),
    )
    expect(found.cause?.class).toBe('sysrq')
    expect(found.facts).toMatchObject({ cpu: 2, pid: 7, comm: 'my shell', taint: 'GDWO' })
    expect(found.hadEarlierOops).toBe(true)
  })

  it('is a warning only when the panic says so', () => {
    const warning = 'WARNING: CPU: 0 PID: 93 at drivers/misc/lkdtm/bugs.c:131 lkdtm_WARNING+0x1d/0x30'
    expect(findCause(makeRecords([warning, panic('panic_on_warn set ...')])).cause?.text).toBe(warning)
    expect(findCause(makeRecords([warning, panic('something else')])).cause?.class).toBe('explicit')
    expect(findCause(makeRecords([warning])).cause).toBeUndefined()
  })

  it('is the oops in init, not the death of init', () => {
    const found = findCause(
      makeRecords(['divide error: 0000 [#1] SMP', panic('Attempted to kill init! exitcode=0x00000008')]),
    )
    expect(found.cause?.class).toBe('divide-error')
    expect(found.events.map((e) => e.class)).toEqual(['divide-error', 'init-death'])
  })

  it('is not what user space wrote to /dev/kmsg', () => {
    const records = makeRecords([panic('fake')]).map((record) => ({ ...record, facility: 1 }))
    expect(findCause(records).cause).toBeUndefined()
  })

  it('ranks what says most: panic, fault, kernel BUG at, Oops', () => {
    const lines = [
      'Oops: 0000 [#1] SMP',
      'kernel BUG at mm/slub.c:1!',
      'general protection fault: 0000 [#1]',
      panic('Fatal exception'),
    ]
    for (let n = 4; n > 0; n--) expect(findCause(makeRecords(lines.slice(0, n))).message).toBe(lines[n - 1])
    expect(findCause([])).toMatchObject({
      message: undefined,
      cause: undefined,
      events: [],
      facts: undefined,
    })
  })

  it('never throws, whatever the log says', () => {
    const word = fc.oneof(
      fc.constantFrom(
        ...samples.map(([, text]) => text),
        'Call Trace:',
        ' a+0x1/0x2',
        'CPU: 1 PID: 1 Comm: ',
      ),
      fc.string(),
    )
    fc.assert(
      fc.property(
        fc.array(
          fc.array(word).map((words) => words.join('')),
          { maxLength: 30 },
        ),
        (lines) => {
          const found = findCause(makeRecords(lines))
          expect(found.events.length).toBeLessThanOrEqual(200)
        },
      ),
    )
  })
})
