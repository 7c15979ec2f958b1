export interface FieldProps {
  name: string;
  label: string;
  value?: string | undefined;
  error?: string | undefined;
  hint?: string;
  type?: string;
  autocomplete?: string;
  inputmode?: "tel" | "numeric" | "email";
  required?: boolean;
  maxlength?: number;
  minlength?: number;
  multiline?: boolean;
}

/** A labelled input that says in place what is wrong with it. */
export const Field = (props: FieldProps) => {
  const { name, label, value = "", error, hint, multiline = false, ...rest } = props;
  const described = [error ? `${name}-salah` : "", hint ? `${name}-hint` : ""].filter(Boolean);
  const attributes = {
    id: name,
    name,
    ...rest,
    ...(error ? { "aria-invalid": "true" as const } : {}),
    ...(described.length > 0 ? { "aria-describedby": described.join(" ") } : {}),
  };
  return (
    <div class="field">
      <label for={name}>{label}</label>
      {multiline ? (
        <textarea rows={3} {...attributes}>
          {value}
        </textarea>
      ) : (
        <input value={value} {...attributes} type={rest.type ?? "text"} />
      )}
      {hint ? (
        <p class="hint" id={`${name}-hint`}>
          {hint}
        </p>
      ) : null}
      {error ? (
        <p class="wrong" id={`${name}-salah`}>
          {error}
        </p>
      ) : null}
    </div>
  );
};
