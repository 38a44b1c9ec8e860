/** Text with all that makes cutting hard: several scripts, marks, joiners, line ends of both kinds, runs of spaces. */
export const sampleText = `The keeper's log, 12 March 1874. It's raining;we'll stay.   Wind: 7-8 Bft, "rising" (they said), don't go!
Été à la forêt, cœur naïf, Straße, ΟΔΟΣ ΑΣ. Ελλάς, ΌΣΑ Σ, İstanbul, ﬁne e\u0301te\u0301 a\u0308\u0301 \u0301x Ａ１，２％ ~ ～ ½ ² ¨ ´.
灯塔看守人在日记里写道：今天下雨，海面很暗。他说：「我们留下」！第１２天？没有船来；\n只有风、浪和鸟。日本語のテキスト、カタカナ。漢字とかな 한국어 문장입니다, 각 각.
👩‍👩‍👧‍👦 family 👍🏽 flag 🇩🇪 ☕️ x\u200db\u200c \ufeffc \u00ad soft \u2028line \u0085next\u00a0nbsp \u3000wide
def f(x):\r\n\tif x == 1:\r\n\t\treturn {"a": [1, 22, 333, 4321, 54321]}\r\n\r\n\r\n    # end\n\n\n   \n  y
{"level":"info","msg":"started"}\n{"level":"warn","n":17}\n/path/to/file\n\t\n,;,; a,b;c\n1,2;3
░▒▓ ▁ ▁▁ a▁b ▁ c <s> </s> [UNK] [MASK] <mask>tail  <mask>  more [CLS]x<|end|>
              fourteen spaces                                      and forty    \t \t  tabs  \n       `;
