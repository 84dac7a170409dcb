from cluster.settings import merged, release_values


def test_changes_are_laid_over_values_at_every_depth() -> None:
    values = {"api": {"replicas": 3, "resources": {"limits": {"memory": "1Gi"}}}, "queues": ["a"]}
    changes = {"api": {"resources": {"limits": {"memory": "2Gi"}}}, "queues": ["b"], "flower": {}}
    assert merged(values, changes) == {
        "api": {"replicas": 3, "resources": {"limits": {"memory": "2Gi"}}},
        "queues": ["b"],
        "flower": {},
    }
    assert values["queues"] == ["a"]


def test_the_image_of_the_cluster_is_named_as_the_chart_wants_it() -> None:
    for image in ("docker.io/library/conveyor:1a2b", "conveyor:1a2b"):
        assert release_values(image)["image"] == {"repository": "conveyor", "tag": "1a2b"}
    elsewhere = release_values("registry.example.com:5000/team/conveyor:1a2b")["image"]
    assert elsewhere == {"repository": "registry.example.com:5000/team/conveyor", "tag": "1a2b"}
