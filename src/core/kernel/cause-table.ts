// What kernels print when they die, and what kind of death it is. To add a cause: add a row, and a real
// log line to the test. Lines begin where the pattern does, so that a program's name or a quotation in
// the middle of a line proves nothing. Patterns have no nested repetition: a log is a guest's text.
// Sources: Linux kernel/panic.c, arch/*/mm/fault.c, arch/*/kernel/traps.c, kernel/watchdog.c, and others.

/** Every class and what it is called. */
export const causeNames = {
  sysrq: 'crash requested through sysrq',
  'null-deref': 'NULL pointer dereference',
  'page-fault': 'access to an address that is not mapped or not allowed',
  gpf: 'general protection fault',
  'invalid-op': 'invalid instruction',
  'divide-error': 'division by zero',
  'stack-overflow': 'kernel stack overflow',
  cfi: 'control flow integrity violation',
  bug: 'BUG() in the kernel',
  'memory-corruption': 'memory corruption',
  'soft-lockup': 'soft lockup: a CPU did not schedule',
  'hard-lockup': 'hard lockup: a CPU took no interrupts',
  'rcu-stall': 'RCU stall',
  'hung-task': 'hung task',
  oom: 'out of memory',
  'warn-panic': 'warning, and panic_on_warn was set',
  'init-death': 'init died',
  'idle-death': 'idle task or interrupt handler died',
  'no-root': 'no root file system',
  hardware: 'hardware error',
  nmi: 'non-maskable interrupt',
  explicit: 'panic() by the kernel code',
} as const

export type CauseClass = keyof typeof causeNames

/**
 * request: somebody asked for the crash · fault, bug: what was running dies · warning: the kernel goes
 * on, unless a setting makes it panic, and then the panic's text says so
 */
export type Weight = 'request' | 'fault' | 'bug' | 'warning'

export interface CauseRow {
  readonly class: CauseClass
  readonly weight: Weight
  /** Lines of the log; named groups become details. */
  readonly lines?: readonly RegExp[]
  /** Text after `Kernel panic - not syncing: `. */
  readonly panics?: readonly RegExp[]
}

export const causeTable: readonly CauseRow[] = [
  {
    class: 'sysrq',
    weight: 'request',
    lines: [/^(sysrq|SysRq ): Trigger a crash/],
    panics: [/^sysrq triggered crash/],
  },
  {
    class: 'null-deref',
    weight: 'fault',
    lines: [
      /^BUG: kernel NULL pointer dereference, address: (?<address>\S+)/,
      /^BUG: unable to handle kernel NULL pointer dereference at (?<address>\S+)/,
      /^Unable to handle kernel NULL pointer dereference at virtual address (?<address>\S+)/,
      /^BUG: Kernel NULL pointer dereference (on (?<access>read|write) )?at (?<address>\S+)/,
    ],
  },
  {
    class: 'page-fault',
    weight: 'fault',
    lines: [
      /^BUG: unable to handle (page fault for address: |kernel paging request at )(?<address>\S+)/,
      /^Unable to handle kernel .{1,60} at virtual address (?<address>\S+)/,
      /^BUG: Unable to handle kernel (data access|instruction fetch).{0,40} at (?<address>\S+)/,
      /^Unable to handle kernel paging request for .{1,40} at address (?<address>\S+)/,
    ],
  },
  {
    class: 'gpf',
    weight: 'fault',
    lines: [/^(Oops: )?general protection fault(, .{0,60}non-canonical address (?<address>0x[0-9a-f]+))?/],
  },
  { class: 'invalid-op', weight: 'fault', lines: [/^(Oops: )?(invalid opcode|int3): /] },
  { class: 'divide-error', weight: 'fault', lines: [/^(Oops: )?divide error: /] },
  {
    class: 'stack-overflow',
    weight: 'fault',
    lines: [
      /^(traps: )?PANIC: double fault/,
      /^(Oops: )?(double fault|stack segment): /,
      /^BUG: (?<stack>stack|IRQ stack|TASK stack|.{1,20} stack) guard page was hit/,
      /^Insufficient stack space to handle exception!/,
      /^Kernel stack overflow/,
    ],
    panics: [/^(kernel|Kernel) stack overflow/, /^double fault/],
  },
  { class: 'cfi', weight: 'fault', lines: [/^CFI failure at (?<symbol>\S+)/] },
  {
    class: 'hardware',
    weight: 'fault',
    lines: [/^SError Interrupt on CPU(?<cpu>\d+)/, /^Oops: Machine check/],
  },
  { class: 'bug', weight: 'bug', lines: [/^kernel BUG at (?<file>\S+):(?<line>\d+)!/] },
  {
    class: 'memory-corruption',
    weight: 'bug',
    lines: [
      /^(list_add|list_del) corruption/,
      /^BUG: Bad page (state|map)/,
      /^BUG: KASAN: (?<kind>\S+) in (?<symbol>\S+)/,
      /^BUG \S+ \(.{1,80}\): .{0,60}(Poison|Redzone|redzone) overwritten/,
    ],
    panics: [
      /^stack-protector: Kernel stack is corrupted in: (?<symbol>\S+)/,
      /^corrupted stack end detected inside scheduler/,
    ],
  },
  { class: 'memory-corruption', weight: 'warning', lines: [/^refcount_t: /, /^UBSAN: /] },
  {
    class: 'soft-lockup',
    weight: 'warning',
    lines: [
      /^((NMI )?watchdog: )?BUG: soft lockup - CPU#(?<cpu>\d+) stuck for (?<seconds>\d+)s! \[(?<comm>.{1,64}):(?<pid>\d+)\]/,
    ],
    panics: [/^softlockup: hung tasks/],
  },
  {
    class: 'hard-lockup',
    weight: 'warning',
    lines: [
      /^(NMI )?(watchdog: )?(CPU\d+: )?Watchdog detected hard LOCKUP on cpu (?<cpu>\d+)/,
      /^watchdog: CPU (?<cpu>\d+) (self-detected|detected) hard LOCKUP/,
    ],
    panics: [/^Hard LOCKUP/],
  },
  {
    class: 'rcu-stall',
    weight: 'warning',
    lines: [
      /^(rcu: )?INFO: (?<flavour>\S+) (self-detected stall on CPU|detected (expedited )?stalls on CPUs)/,
    ],
    panics: [/^RCU Stall/],
  },
  {
    class: 'hung-task',
    weight: 'warning',
    lines: [
      /^INFO: task (?<comm>.{1,64}):(?<pid>\d+) blocked( in I\/O wait)? for more than (?<seconds>\d+) seconds/,
    ],
    panics: [/^hung_task: blocked tasks/],
  },
  {
    class: 'oom',
    weight: 'warning',
    lines: [/^Out of memory: Kill(ed)? process (?<pid>\d+) \((?<comm>.{1,64})\)/],
    panics: [/^Out of memory/, /^out of memory/, /^System is deadlocked on memory/],
  },
  {
    class: 'warn-panic',
    weight: 'warning',
    lines: [/^WARNING: (CPU: (?<cpu>\d+) PID: (?<pid>\d+) at )?(?<where>[^ :]+:\d+)/],
    panics: [/^(kernel: )?panic_on_warn set/],
  },
  {
    class: 'hardware',
    weight: 'warning',
    lines: [
      /^mce: \[Hardware Error\]/,
      /^\{\d{1,10}\}\[Hardware Error\]/,
      /^MCE: CPU(?<cpu>\d+)/,
      /^Machine check in kernel mode/,
      /^EEH: (Frozen|Fenced|Beginning|PHB#\S+ failure|This device has failed|Unable to recover)/,
    ],
    panics: [
      /^Fatal (local )?machine check/i,
      /^Machine check/i,
      /^Unrecoverable Machine check/,
      /^Fatal hardware error!/,
      /^Asynchronous SError Interrupt/,
    ],
  },
  {
    class: 'nmi',
    weight: 'warning',
    lines: [/^NMI: (PCI system error|IOCK error)/, /^Uhhuh\. NMI received/],
    panics: [/^NMI(:| IOCK error:) Not continuing/],
  },
  {
    class: 'no-root',
    weight: 'warning',
    panics: [/^VFS: Unable to mount root fs/, /^No working init found/],
  },
  {
    class: 'init-death',
    weight: 'warning',
    panics: [/^Attempted to kill init! exitcode=(?<exitcode>0x[0-9a-f]+)/],
  },
  {
    class: 'idle-death',
    weight: 'warning',
    panics: [/^Attempted to kill the idle task!/, /^Aiee, killing interrupt handler!/],
  },
]

export const panicLine = /^Kernel panic - not syncing: (.*)/
