"use strict";
(() => {
  const METHODS = ["get", "post", "put", "patch", "delete", "head", "options"];
  const byId = (id) => document.getElementById(id);
  const make = (name, text, className) => {
    const element = document.createElement(name);
    if (text !== undefined) element.textContent = text;
    if (className) element.className = className;
    return element;
  };

  const viewer = (spec) => {
    const resolve = (value) => {
      let seen = 0;
      while (value && value.$ref && seen++ < 20) {
        value = value.$ref
          .replace(/^#\//, "")
          .split("/")
          .map((part) => part.replace(/~1/g, "/").replace(/~0/g, "~"))
          .reduce((at, part) => (at ? at[part] : undefined), spec);
      }
      return value || {};
    };

    const kind = (schema) => {
      if (schema === true || schema === undefined) return "anything";
      const name = schema.$ref ? schema.$ref.split("/").pop() : "";
      const real = resolve(schema);
      if (name) return name;
      if (real.enum) return real.enum.map((one) => JSON.stringify(one)).join(" | ");
      if (real.const !== undefined) return JSON.stringify(real.const);
      const choice = real.anyOf || real.oneOf;
      if (choice) return choice.map(kind).join(" | ");
      const type = Array.isArray(real.type) ? real.type.join(" | ") : real.type || "anything";
      return type === "array" ? "list of " + kind(real.items) : type + (real.format ? " (" + real.format + ")" : "");
    };

    const bounds = (schema) =>
      ["pattern", "minimum", "maximum", "minLength", "maxLength", "minItems", "maxItems", "default"]
        .filter((name) => schema[name] !== undefined)
        .map((name) => name + " " + JSON.stringify(schema[name]))
        .join(", ");

    const fields = (schema, outer) => {
      const real = resolve(schema);
      const box = document.createDocumentFragment();
      if (real.type === "array" && real.items) {
        box.append(make("p", "a list of " + kind(real.items), "note"), fields(real.items, outer));
        return box;
      }
      const choice = real.anyOf || real.oneOf || real.allOf;
      if (choice) choice.forEach((one) => box.append(make("p", kind(one), "note"), fields(one, outer)));
      if (!real.properties) return box;
      const table = make("table");
      for (const [name, field] of Object.entries(real.properties)) {
        const inner = resolve(field);
        const row = make("tr");
        const needed = (real.required || []).includes(name);
        const first = make("td");
        first.append(make("code", name), make("span", needed ? "" : " optional", "note"));
        const about = make("td", inner.description || field.description || "");
        const limits = bounds(inner);
        if (limits) about.append(" ", make("span", limits, "note"));
        const reference = field.$ref || (inner.items && inner.items.$ref);
        if (reference && !outer.includes(reference) && resolve({ $ref: reference }).properties) {
          const more = make("details");
          more.append(make("summary", kind({ $ref: reference })));
          more.addEventListener("toggle", () => {
            if (more.open && more.childElementCount === 1) more.append(fields({ $ref: reference }, [...outer, reference]));
          });
          about.append(more);
        }
        row.append(first, make("td", kind(field)), about);
        table.append(row);
      }
      box.append(table);
      return box;
    };

    const content = (media) => {
      const box = document.createDocumentFragment();
      for (const [type, { schema, example }] of Object.entries(media || {})) {
        box.append(make("p", type + (schema ? ": " + kind(schema) : ""), "note"));
        if (schema) box.append(fields(schema, schema.$ref ? [schema.$ref] : []));
        if (example !== undefined) box.append(make("pre", JSON.stringify(example, null, 2)));
      }
      return box;
    };

    const parameters = (list) => {
      const table = make("table");
      for (const one of list.map(resolve)) {
        const row = make("tr");
        const first = make("td");
        first.append(make("code", one.name), make("span", " " + one.in + (one.required ? "" : ", optional"), "note"));
        row.append(first, make("td", kind(one.schema)), make("td", one.description || ""));
        table.append(row);
      }
      return table;
    };

    const fill = (box, shared, operation) => {
      if (operation.description) box.append(make("p", operation.description));
      const facts = [
        ["who may call", operation["x-twist-policy"]],
        ["limit", operation["x-twist-rate-class"]],
        ["operation", operation.operationId],
      ];
      box.append(make("p", facts.filter(([, value]) => value).map(([name, value]) => name + ": " + value).join(" · "), "note"));
      const all = [...(shared || []), ...(operation.parameters || [])];
      if (all.length) box.append(make("h3", "Parameters"), parameters(all));
      if (operation.requestBody) box.append(make("h3", "Body"), content(resolve(operation.requestBody).content));
      box.append(make("h3", "Answers"));
      for (const [status, reference] of Object.entries(operation.responses || {})) {
        const answer = resolve(reference);
        const part = make("details");
        part.append(make("summary", status + " " + (answer.description || "")), content(answer.content));
        box.append(part);
      }
    };

    const groups = new Map();
    for (const [path, item] of Object.entries(spec.paths || {})) {
      for (const method of METHODS.filter((name) => item[name])) {
        const operation = item[method];
        const tag = (operation.tags || ["other"])[0];
        const box = make("details");
        const summary = make("summary");
        summary.append(make("span", method.toUpperCase(), "method " + method), make("code", path), " ", make("span", operation.summary || "", "note"));
        box.append(summary);
        box.dataset.text = [method, path, operation.summary, tag, operation["x-twist-policy"]].join(" ").toLowerCase();
        box.addEventListener("toggle", () => {
          if (box.open && box.childElementCount === 1) fill(box, item.parameters, operation);
        });
        if (!groups.has(tag)) groups.set(tag, []);
        groups.get(tag).push(box);
      }
    }

    document.title = spec.info.title;
    byId("title").textContent = spec.info.title + " " + spec.info.version;
    byId("about").textContent = spec.info.description || "";
    const sections = [...groups].sort(([a], [b]) => a.localeCompare(b)).map(([tag, boxes]) => {
      const section = make("section");
      const known = (spec.tags || []).find((one) => one.name === tag);
      section.append(make("h2", tag));
      if (known && known.description) section.append(make("p", known.description, "note"));
      section.append(...boxes);
      return section;
    });
    byId("operations").replaceChildren(...sections);
    byId("filter").addEventListener("input", (event) => {
      const wanted = event.target.value.trim().toLowerCase().split(/\s+/);
      for (const section of sections) {
        let any = false;
        for (const box of section.querySelectorAll(":scope > details")) {
          const fits = wanted.every((word) => box.dataset.text.includes(word));
          box.hidden = !fits;
          any = any || fits;
        }
        section.hidden = !any;
      }
    });
  };

  fetch("openapi.json")
    .then((answer) => (answer.ok ? answer.json() : Promise.reject(new Error("status " + answer.status))))
    .then(viewer)
    .catch((error) => byId("operations").replaceChildren(make("p", "The document cannot be read: " + error.message)));
})();
