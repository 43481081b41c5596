// SPDX-License-Identifier: Apache-2.0
// The editor of code, made of CodeMirror: loaded when the first one is shown, a language when it is first used.

import { autocompletion, closeBrackets, closeBracketsKeymap, completionKeymap } from '@codemirror/autocomplete';
import { defaultKeymap, history, historyField, historyKeymap, indentWithTab } from '@codemirror/commands';
import {
  bracketMatching,
  foldGutter,
  foldKeymap,
  HighlightStyle,
  indentOnInput,
  indentUnit,
  syntaxHighlighting,
} from '@codemirror/language';
import { lintGutter, lintKeymap, setDiagnostics, type Diagnostic } from '@codemirror/lint';
import { highlightSelectionMatches, searchKeymap } from '@codemirror/search';
import {
  Annotation,
  Compartment,
  EditorState,
  type EditorStateConfig,
  type Extension,
  type Text,
} from '@codemirror/state';
import {
  crosshairCursor,
  drawSelection,
  EditorView,
  highlightActiveLine,
  highlightActiveLineGutter,
  keymap,
  lineNumbers,
  rectangularSelection,
  type KeyBinding,
} from '@codemirror/view';
import { tags } from '@lezer/highlight';

import type { Problem } from './problems.ts';

export type Language = 'python' | 'cpp' | 'yaml' | 'json' | 'javascript' | 'text';

const languages: Record<Language, () => Promise<Extension>> = {
  python: async () => [(await import('@codemirror/lang-python')).python(), indentUnit.of('    ')],
  cpp: async () => (await import('@codemirror/lang-cpp')).cpp(),
  yaml: async () => (await import('@codemirror/lang-yaml')).yaml(),
  json: async () => (await import('@codemirror/lang-json')).json(),
  javascript: async () => (await import('@codemirror/lang-javascript')).javascript({ typescript: true }),
  text: () => Promise.resolve([]),
};

// Our own custom properties reach into the shadow root, and with them the theme that was chosen.
const look = EditorView.theme({
  '&': { flex: '1 1 auto', minHeight: '0', backgroundColor: 'var(--surface)', color: 'var(--ink)', outline: 'none' },
  '&.cm-focused': { outline: 'none' },
  '.cm-scroller': { fontFamily: 'var(--mono)', fontSize: 'var(--text-small)', lineHeight: '1.55' },
  '.cm-content': { caretColor: 'var(--ink)', padding: 'var(--space-2) 0', outline: 'none' },
  '.cm-cursor, .cm-dropCursor': { borderLeftColor: 'var(--ink)', borderLeftWidth: '2px' },
  '&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground': {
    background: 'light-dark(#cfe3f8, #27445f)',
  },
  '.cm-activeLine': { backgroundColor: 'transparent' },
  '&.cm-focused .cm-activeLine': { backgroundColor: 'light-dark(#0f6f680d, #46c4b812)' },
  '.cm-gutters': { backgroundColor: 'var(--surface)', color: 'var(--muted)', border: 'none' },
  '.cm-activeLineGutter': { backgroundColor: 'transparent', color: 'var(--ink)' },
  '.cm-lineNumbers .cm-gutterElement': { padding: '0 var(--space-1) 0 var(--space-2)' },
  '.cm-foldPlaceholder': { border: 'none', background: 'var(--hover)', color: 'var(--muted)' },
  '&.cm-focused .cm-matchingBracket': { backgroundColor: 'var(--accent-soft)' },
  '&.cm-focused .cm-nonmatchingBracket': { backgroundColor: 'var(--bad-soft)' },
  '.cm-searchMatch': { backgroundColor: 'var(--warn-soft)', outline: '1px solid var(--warn)' },
  '.cm-selectionMatch': { backgroundColor: 'light-dark(#0f6f681f, #46c4b830)' },
  '.cm-tooltip': {
    border: '1px solid var(--line)',
    borderRadius: 'var(--radius)',
    backgroundColor: 'var(--raised)',
    color: 'var(--ink)',
    boxShadow: 'var(--shadow)',
    overflow: 'hidden',
  },
  '.cm-tooltip.cm-tooltip-autocomplete > ul': { fontFamily: 'var(--mono)', fontSize: 'var(--text-small)' },
  '.cm-tooltip-autocomplete ul li[aria-selected]': { background: 'var(--accent-soft)', color: 'var(--ink)' },
  '.cm-panels': { backgroundColor: 'var(--ground)', color: 'var(--ink)', borderColor: 'var(--line)' },
  '.cm-panels.cm-panels-bottom': { borderTop: '1px solid var(--line)' },
  '.cm-panel.cm-search': { padding: 'var(--space-2)', fontFamily: 'var(--font)', fontSize: 'var(--text-small)' },
  '.cm-panel.cm-search label': { fontSize: 'var(--text-small)' },
  '.cm-panel.cm-search [name=close]': { color: 'var(--ink)', padding: '0 var(--space-2)', cursor: 'pointer' },
  '.cm-textfield': {
    minHeight: '28px',
    border: '1px solid var(--line-strong)',
    borderRadius: 'var(--radius)',
    backgroundColor: 'var(--surface)',
    color: 'var(--ink)',
    font: 'inherit',
  },
  '.cm-button': {
    minHeight: '28px',
    border: '1px solid var(--line)',
    borderRadius: 'var(--radius)',
    background: 'var(--raised)',
    color: 'var(--ink)',
    font: 'inherit',
    cursor: 'pointer',
  },
  '.cm-button:focus-visible, .cm-textfield:focus-visible, [name=close]:focus-visible': {
    outline: '2px solid var(--focus)',
  },
  '.cm-diagnostic': { padding: 'var(--space-1) var(--space-2)', whiteSpace: 'pre-wrap' },
  '.cm-diagnostic-error': { borderLeft: '3px solid var(--bad)' },
  '.cm-diagnostic-warning': { borderLeft: '3px solid var(--warn)' },
  '.cm-lintRange-error': { backgroundImage: 'none', textDecoration: 'underline wavy var(--bad)' },
  '.cm-lintRange-warning': { backgroundImage: 'none', textDecoration: 'underline wavy var(--warn)' },
  // Those of @codemirror/merge, of which there is none unless it is asked for.
  '.cm-deletedChunk, .cm-deletedLine': { backgroundColor: 'var(--bad-soft)' },
  '&.cm-merge-b .cm-changedLine, &.cm-merge-b .cm-inlineChangedLine': { backgroundColor: 'var(--good-soft)' },
  '.cm-deletedChunk .cm-deletedText, .cm-deletedText': {
    background: 'none',
    textDecoration: 'underline 2px var(--bad)',
  },
  '&.cm-merge-b .cm-changedText': { background: 'none', textDecoration: 'underline 2px var(--good)' },
  '&.cm-merge-b .cm-changedLineGutter': { background: 'var(--good)' },
  '.cm-deletedLineGutter': { background: 'var(--bad)' },
  '.cm-collapsedLines': { background: 'var(--hover)', color: 'var(--muted)' },
  '.cm-collapsedLines:before, .cm-collapsedLines:after': { content: '"…"' },
  // The marks that CodeMirror brings are images of data: URLs, which our Content-Security-Policy does not allow.
  '.cm-gutter-lint': { width: '1.1em' },
  '.cm-lint-marker': { content: 'none', width: '0.7em', height: '0.7em', margin: '0.4em 0.1em', cursor: 'pointer' },
  '.cm-lint-marker-error': { content: 'none', background: 'var(--bad)', rotate: '45deg' },
  '.cm-lint-marker-warning': { content: 'none', background: 'var(--warn)', borderRadius: '50%' },
  '.cm-lint-marker-info': { content: 'none', background: 'var(--busy)', borderRadius: '50%' },
});

const colours = HighlightStyle.define([
  { tag: [tags.keyword, tags.modifier, tags.operatorKeyword], color: 'light-dark(#8a2f8f, #d79be0)' },
  { tag: [tags.string, tags.special(tags.string)], color: 'light-dark(#0b6637, #8fd49b)' },
  { tag: [tags.number, tags.bool, tags.null, tags.atom], color: 'light-dark(#9a4204, #f0a873)' },
  { tag: [tags.comment, tags.meta], color: 'light-dark(#5a6672, #94a1ad)', fontStyle: 'italic' },
  { tag: [tags.function(tags.variableName), tags.function(tags.propertyName)], color: 'light-dark(#1a55a8, #85baf7)' },
  { tag: [tags.definition(tags.propertyName), tags.propertyName], color: 'light-dark(#1a55a8, #9cc7f9)' },
  { tag: [tags.typeName, tags.className, tags.namespace], color: 'light-dark(#0a6070, #76cfe0)' },
  { tag: [tags.escape, tags.regexp], color: 'light-dark(#8a5300, #f0b65a)' },
  { tag: tags.invalid, color: 'var(--bad)' },
]);

// Those of CodeMirror that are ours, or the browser's, everywhere.
const NOT_TAKEN = new Set(['Mod-Enter', 'Shift-Mod-k', 'Alt-l']);
const keysOfCodeMirror = defaultKeymap.filter((each) => !NOT_TAKEN.has(each.key ?? ''));

const fromOutside = Annotation.define<boolean>();

export interface EditorOptions {
  value: string;
  label: string;
  hint: string; // read to who cannot see it
  language: Language;
  readonly: boolean;
  wrap: boolean;
  keys: readonly KeyBinding[]; // stand before the editor's own
  extension: Extension;
  onchange: (value: string) => void;
  onmove: (line: number, column: number) => void;
  kept?: Kept | undefined; // of an editor before it, and good only for the same text
}
// What can be undone, and where the cursor is.
export type Kept = { doc?: string } & Record<string, unknown>;

export class Editor {
  readonly view: EditorView;
  private readonly language = new Compartment();
  private readonly readonly = new Compartment();
  private readonly extension = new Compartment();
  private readonly keys = new Compartment();
  private readonly label = new Compartment();
  private shownLanguage: Language = 'text';
  private shownExtension: Extension;
  private value: string; // as the outside knows it
  private lineBreak = '\n';

  // In a shadow root, for which CodeMirror's styles are adopted sheets: a page with our Content-Security-Policy takes no
  // <style> elements.
  constructor(
    root: ShadowRoot,
    private readonly options: EditorOptions,
  ) {
    this.value = options.value;
    this.lineBreak = lineBreakOf(options.value);
    this.shownExtension = options.extension;
    const hint = document.createElement('p');
    hint.id = 'hint';
    hint.hidden = true;
    hint.textContent = options.hint;
    root.append(hint);
    const config: EditorStateConfig = {
      doc: options.value,
      extensions: [
        this.keys.of(keymap.of([...options.keys])),
        this.extension.of(options.extension),
        lineNumbers(),
        foldGutter({ openText: '▾', closedText: '▸' }),
        highlightActiveLineGutter(),
        history(),
        drawSelection(),
        EditorState.allowMultipleSelections.of(true),
        indentOnInput(),
        bracketMatching(),
        closeBrackets(),
        autocompletion(),
        rectangularSelection(),
        crosshairCursor(),
        highlightActiveLine(),
        highlightSelectionMatches(),
        syntaxHighlighting(colours),
        look,
        keymap.of([
          ...closeBracketsKeymap,
          ...keysOfCodeMirror,
          ...searchKeymap,
          ...historyKeymap,
          ...foldKeymap,
          ...completionKeymap,
          ...lintKeymap,
          indentWithTab,
        ]),
        EditorView.domEventHandlers({ beforeinput: typeOver }),
        options.wrap ? EditorView.lineWrapping : [],
        this.language.of([]),
        this.label.of(labelled(options.label)),
        this.readonly.of(readonlyExtension(options.readonly)),
        EditorView.updateListener.of((update) => {
          if (update.docChanged && !update.transactions.some((each) => each.annotation(fromOutside))) {
            this.value = this.text(update.state.doc);
            options.onchange(this.value);
          }
          if (update.selectionSet || update.docChanged) this.tellPlace();
        }),
      ],
    };
    const { kept } = options;
    const state =
      kept?.doc === options.value
        ? EditorState.fromJSON(kept, config, { history: historyField })
        : EditorState.create(config);
    this.view = new EditorView({ root, parent: root, state });
    this.setLanguage(options.language);
    this.tellPlace();
  }

  destroy(): void {
    this.view.destroy();
  }
  keep(): Kept {
    return this.view.state.toJSON({ history: historyField }) as Kept;
  }
  focus(): void {
    this.view.focus();
  }
  // From 1, both; to the nearest place that there is.
  goTo(line: number, column = 1): void {
    const at = this.view.state.doc.line(Math.min(Math.max(line, 1), this.view.state.doc.lines));
    const anchor = at.from + Math.min(Math.max(column - 1, 0), at.length);
    this.view.dispatch({ selection: { anchor }, effects: EditorView.scrollIntoView(anchor, { y: 'center' }) });
    this.view.focus();
  }

  // The place of the cursor stays, and so does what can be undone.
  setValue(value: string): void {
    if (value === this.value) return;
    this.value = value;
    this.lineBreak = lineBreakOf(value);
    const { state } = this.view;
    const insert = state.toText(value);
    const anchor = Math.min(state.selection.main.anchor, insert.length);
    this.view.dispatch({
      changes: { from: 0, to: state.doc.length, insert },
      selection: { anchor },
      annotations: fromOutside.of(true),
    });
  }
  setLanguage(language: Language): void {
    if (language === this.shownLanguage) return;
    this.shownLanguage = language;
    const colour = async () => {
      const extension = await languages[language]();
      if (this.shownLanguage === language) this.view.dispatch({ effects: this.language.reconfigure(extension) });
    };
    // Without its colours it is the same text.
    colour().catch((error: unknown) => console.warn(error));
  }
  setReadonly(readonly: boolean): void {
    if (readonly === this.view.state.readOnly) return;
    this.view.dispatch({ effects: this.readonly.reconfigure(readonlyExtension(readonly)) });
  }
  setLabel(label: string): void {
    this.view.dispatch({ effects: this.label.reconfigure(labelled(label)) });
  }
  setExtension(extension: Extension): void {
    if (extension === this.shownExtension) return;
    this.shownExtension = extension;
    this.view.dispatch({ effects: this.extension.reconfigure(extension) });
  }
  setKeys(keys: readonly KeyBinding[]): void {
    this.view.dispatch({ effects: this.keys.reconfigure(keymap.of([...keys])) });
  }
  setProblems(problems: readonly Problem[]): void {
    const { state } = this.view;
    this.view.dispatch(
      setDiagnostics(
        state,
        problems.map((each) => diagnostic(state.doc, each)),
      ),
    );
  }

  private text(doc: Text): string {
    return doc.sliceString(0, doc.length, this.lineBreak);
  }
  private tellPlace(): void {
    const at = this.view.state.selection.main.head;
    const line = this.view.state.doc.lineAt(at);
    this.options.onmove(line.number, at - line.from + 1);
  }
}

// What is typed over a selection of several lines. A browser would carry the look of these over as style attributes,
// which our Content-Security-Policy does not allow, and complain of it each time.
function typeOver(event: InputEvent, view: EditorView): boolean {
  const { state } = view;
  const text = event.data;
  const { from, to, empty } = state.selection.main;
  if (event.inputType !== 'insertText' || text === null || empty || event.isComposing || !event.cancelable)
    return false;
  if (state.readOnly) return false;
  const insert = () => state.update(state.replaceSelection(text), { userEvent: 'input.type', scrollIntoView: true });
  const isTaken = state.facet(EditorView.inputHandler).some((each) => each(view, from, to, text, insert));
  if (!isTaken) view.dispatch(insert());
  event.preventDefault();
  return true;
}

// What ended lines before ends them after.
function lineBreakOf(text: string): string {
  return text.includes('\r\n') ? '\r\n' : '\n';
}

function labelled(label: string): Extension {
  // What can be edited takes the focus by itself, but not everybody who looks knows.
  return EditorView.contentAttributes.of({ 'aria-label': label, 'aria-describedby': 'hint', tabindex: '0' });
}

// It can be read, searched and copied from with the keyboard alone.
function readonlyExtension(readonly: boolean): Extension {
  if (!readonly) return lintGutter();
  return [
    EditorState.readOnly.of(true),
    EditorView.editable.of(false),
    EditorView.contentAttributes.of({ tabindex: '0', 'aria-readonly': 'true' }),
  ];
}

// The word at a problem's column, else its line.
function diagnostic(doc: Text, problem: Problem): Diagnostic {
  const line = doc.line(Math.min(Math.max(problem.line, 1), doc.lines));
  const indent = /^\s*/.exec(line.text)?.[0].length ?? 0;
  const begin = problem.column === undefined ? indent : Math.min(problem.column - 1, line.length);
  const word = /^\w+|^./.exec(line.text.slice(begin))?.[0].length ?? 0;
  const to = problem.column === undefined ? line.to : line.from + begin + word;
  return { from: line.from + begin, to, severity: problem.severity, message: problem.message };
}
