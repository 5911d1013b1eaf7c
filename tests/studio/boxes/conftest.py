"""What tests of the page share."""

from collections.abc import Iterator

import pytest

from tests.studio.browser import Studio, open_studio


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EYESPOT_PROJECTS", str(tmp_path_factory.mktemp("projects")))
        with open_studio() as studio:
            yield studio
